// Package taskerror is the error that ends an attempt with a code of its own. Task types know it as task.Error.
package taskerror

// An Error ends an attempt with a code of its own, in upper snake case.
type Error struct {
	Code string
	// Message says what happened, to what, in words for the owner of the task.
	Message string
	// Final: a further attempt could not do better.
	Final bool
	// Details are JSON that helps to understand the failure. They are on the log for ever: no secrets, no personal data.
	Details any
	Err     error
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Code + ": " + e.Message + ": " + e.Err.Error()
	}
	return e.Code + ": " + e.Message
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }
