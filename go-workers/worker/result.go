package worker

import (
	"fmt"

	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
)

// resultText gives a handler's result as the JSON text that every store takes.
func resultText(result any) (string, *schemas.TaskError) {
	text, err := cleanJSON(result)
	if err != nil {
		failure := resultInvalid("The result cannot be written as JSON: " + err.Error())
		return "", &failure
	}
	if len(text) > 2*maxResultDepth && jsonDepth(text) > maxResultDepth {
		failure := resultInvalid(fmt.Sprintf("The result nests deeper than %d levels", maxResultDepth))
		return "", &failure
	}
	return text, nil
}
