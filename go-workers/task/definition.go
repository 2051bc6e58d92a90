package task

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/blobs"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/safefetch"
)

// A Definition is a task type as the worker holds it, whatever its payload and result are. [Define] makes it.
type Definition struct {
	Type               string
	Version            int
	Slots              int
	Defaults           Defaults
	Inline             bool
	TakeoverAfterLease bool
	TestOnly           bool
	Errors             map[string]string
	// PayloadSchema and ResultSchema are JSON text, as published.
	PayloadSchema, ResultSchema string

	payload *jsonschema.Resolved
	run     func(ctx context.Context, payload []byte, job Setting) (any, error)
	preview func(result any) string
}

// A Setting is what the worker gives to a job beside its payload.
type Setting struct {
	TaskID, UserID      string
	Generation, Attempt int
	Log                 *slog.Logger
	Progress            func(fraction float64, note string)
	Fetch               *safefetch.Client
	Blobs               *blobs.Owned
}

var (
	typePattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
	codePattern = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,63}$`)
)

// Define declares a task type. It panics on a definition that could not work.
func Define[P, R any](spec Spec[P, R]) *Definition {
	wrong := func(format string, args ...any) {
		panic(fmt.Sprintf("task type %q: ", spec.Type) + fmt.Sprintf(format, args...))
	}
	if !typePattern.MatchString(spec.Type) {
		wrong("its name must fit %s", typePattern)
	}
	if spec.Version < 1 {
		wrong("its version must be an integer from 1, is %d", spec.Version)
	}
	if spec.Slots < 0 {
		wrong("its slots must not be negative, are %d", spec.Slots)
	}
	if spec.Run == nil {
		wrong("it has no Run")
	}
	for code := range spec.Errors {
		if !codePattern.MatchString(code) {
			wrong("error code %q must be upper snake case", code)
		}
	}
	payloadText, payload, err := schemaOf[P](spec.PayloadSchema)
	if err != nil {
		wrong("its payload: %v", err)
	}
	resultText, _, err := schemaOf[R](spec.ResultSchema)
	if err != nil {
		wrong("its result: %v", err)
	}
	return &Definition{
		Type: spec.Type, Version: spec.Version, Slots: spec.Slots, Defaults: spec.Defaults, Inline: spec.Inline,
		TakeoverAfterLease: spec.TakeoverAfterLease, TestOnly: spec.TestOnly, Errors: spec.Errors,
		PayloadSchema: payloadText, ResultSchema: resultText, payload: payload,
		run: func(ctx context.Context, text []byte, setting Setting) (any, error) {
			job := Job[P]{
				TaskID: setting.TaskID, UserID: setting.UserID, Generation: setting.Generation, Attempt: setting.Attempt,
				IdempotencyKey: fmt.Sprintf("%s.%d", setting.TaskID, setting.Generation),
				Log:            setting.Log, Progress: setting.Progress, Fetch: setting.Fetch, Blobs: setting.Blobs,
			}
			if err := json.Unmarshal(text, &job.Payload); err != nil {
				return nil, payloadInvalid(err)
			}
			return spec.Run(ctx, job)
		},
		preview: func(result any) string {
			if typed, ok := result.(R); ok && spec.Preview != nil {
				return spec.Preview(typed)
			}
			return ""
		},
	}
}

// schemaOf gives the schema that is published, and its validator.
func schemaOf[T any](text string) (string, *jsonschema.Resolved, error) {
	schema := new(jsonschema.Schema)
	if text == "" {
		var err error
		if schema, err = jsonschema.For[T](nil); err != nil {
			return "", nil, err
		}
	} else if err := json.Unmarshal([]byte(text), schema); err != nil {
		return "", nil, err
	}
	schema.Schema = "https://json-schema.org/draft/2020-12/schema"
	resolved, err := schema.Resolve(nil)
	if err != nil {
		return "", nil, err
	}
	published, err := json.Marshal(schema)
	return string(published), resolved, err
}

// Check holds a payload to the published schema; the error is an [*Error] with the code PAYLOAD_INVALID.
func (definition *Definition) Check(payload []byte) error {
	var value any
	if err := json.Unmarshal(payload, &value); err != nil {
		return &Error{Code: "PAYLOAD_INVALID", Message: "The payload is not JSON", Final: true, Err: err}
	}
	if err := definition.payload.Validate(value); err != nil {
		return payloadInvalid(err)
	}
	return nil
}

func payloadInvalid(err error) error {
	return &Error{Code: "PAYLOAD_INVALID", Message: "The payload is not valid: " + err.Error(), Final: true}
}

// Run checks the payload and calls the handler. It does not recover from panics.
func (definition *Definition) Run(ctx context.Context, payload []byte, setting Setting) (any, error) {
	if err := definition.Check(payload); err != nil {
		return nil, err
	}
	return definition.run(ctx, payload, setting)
}

// Preview gives a few words of what Run gave; empty where the type gives none.
func (definition *Definition) Preview(result any) string { return definition.preview(result) }
