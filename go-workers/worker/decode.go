package worker

import (
	"context"
	"errors"
	"fmt"

	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
)

// decoder reads records of the log; a schema that is newer than this process is learned first. The error is final where nobody knows
// the schema, or the bytes are no record; while the registry is away it may pass.
func decoder(
	codec *schemas.Codec, learn func(context.Context, uint32) (bool, error),
) func(context.Context, []byte) (schemas.Record, error) {
	return func(ctx context.Context, value []byte) (schemas.Record, error) {
		record, err := codec.Decode(value)
		var unknown *schemas.UnknownSchemaError
		if !errors.As(err, &unknown) {
			return record, err
		}
		known, unavailable := learn(ctx, unknown.SchemaID)
		switch {
		case unavailable != nil:
			return nil, &unavailableError{unavailable}
		case !known:
			return nil, fmt.Errorf("no registry knows schema %d", unknown.SchemaID)
		}
		return codec.Decode(value)
	}
}

// An unavailableError may pass.
type unavailableError struct{ error }

func (e *unavailableError) Unwrap() error { return e.error }

// decodeEvent reads an event of an events partition; nil for what is none, and decides nothing.
func (w *Worker) decodeEvent(ctx context.Context, value []byte) (schemas.Event, error) {
	record, err := decoder(w.options.Codec, w.options.Learn)(ctx, value)
	var unavailable *unavailableError
	if errors.As(err, &unavailable) {
		return nil, err
	}
	event, _ := record.(schemas.Event)
	return event, nil
}
