package grpcserver

import (
	"errors"
	"regexp"
	"strings"

	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
	workerv1 "github.com/taskflow-hub/taskflow-hub/schemas/go/taskflow/worker/v1"
)

var (
	// validating is how the validator says where it is, from the root of the schema inwards.
	validating = regexp.MustCompile(`^(?:validating \S+: )+`)
	// ofProperties are the faults that it tells of the object in which a property is missing, or too many.
	ofProperties = regexp.MustCompile(`^(required: missing|unexpected additional) properties:? \[(.*)\]$`)
	quoted       = regexp.MustCompile(`"((?:[^"\\]|\\.)*)"`)
)

// faults says of an error of Check where in the payload it is, as near as the validator tells: an element of a list is named by its list.
func faults(err error) []*workerv1.FieldError {
	if err == nil {
		return nil
	}
	message := err.Error()
	var own *task.Error
	if errors.As(err, &own) {
		message = strings.TrimPrefix(own.Message, "The payload is not valid: ")
	}
	chain := validating.FindString(message)
	message = strings.TrimPrefix(message, chain)
	path := pathOf(chain)
	match := ofProperties.FindStringSubmatch(message)
	if match == nil {
		return []*workerv1.FieldError{{Path: path, Message: message}}
	}
	what := "is required"
	if match[1] == "unexpected additional" {
		what = "is not a known field"
	}
	var all []*workerv1.FieldError
	for _, name := range quoted.FindAllStringSubmatch(match[2], -1) {
		all = append(all, &workerv1.FieldError{Path: path + "." + name[1], Message: what})
	}
	return all
}

// pathOf gives the place in the payload for the validator's place in the schema: /properties/a/items/properties/b is payload.a.b.
func pathOf(chain string) string {
	path := "payload"
	fields := strings.Fields(chain)
	if len(fields) == 0 {
		return path
	}
	segments := strings.Split(strings.TrimSuffix(fields[len(fields)-1], ":"), "/")
	for i := 0; i+1 < len(segments); i++ {
		if segments[i] == "properties" {
			path += "." + segments[i+1]
			i++
		}
	}
	return path
}
