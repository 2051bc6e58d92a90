package worker

import (
	"context"
	"errors"
	"fmt"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/taskerror"
	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
)

// failureOf gives the error that a run ends with, from whatever its handler returned.
func failureOf(err error) schemas.TaskError {
	var own *taskerror.Error
	if errors.As(err, &own) {
		failure := schemas.TaskError{Code: own.Code, Message: cleanText(own.Message), Retryable: !own.Final}
		if own.Details != nil {
			if details, err := cleanJSON(own.Details); err == nil {
				failure.Details = &details
			}
		}
		return failure
	}
	message := cleanText(err.Error())
	if errors.Is(err, context.DeadlineExceeded) {
		message = "A deadline of the handler's own passed: " + message
	}
	return schemas.TaskError{Code: "HANDLER_ERROR", Message: message, Retryable: true}
}

// failureOfPanic says where a handler panicked, not in how many frames.
func failureOfPanic(thrown any) schemas.TaskError {
	return schemas.TaskError{Code: "HANDLER_ERROR", Message: cleanText(fmt.Sprintf("The handler panicked: %v", thrown)), Retryable: true}
}

func resultInvalid(message string) schemas.TaskError {
	return schemas.TaskError{Code: "RESULT_INVALID", Message: message}
}
