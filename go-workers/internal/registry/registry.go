package registry

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
)

const (
	startTimeout = 60 * time.Second
	retryPause   = 500 * time.Millisecond
	// unknownFor: an id that nobody has registered would otherwise be asked for with each record that bears it.
	unknownFor = 30 * time.Second
	// maxUnknown: poison may bear any id; what is remembered of such ids stays small.
	maxUnknown = 1_000
)

// A Registry encodes and decodes with this version's schemas under the registry's ids, and learns others.
type Registry struct {
	Codec  *schemas.Codec
	client *client
	logger *slog.Logger

	mu           sync.Mutex
	learning     map[uint32]*learning
	unknownUntil map[uint32]time.Time
}

type learning struct {
	done  chan struct{}
	known bool
	err   error
}

// Connect publishes all schemas of the contract. While the registry is away it tries again, for a minute; once this has
// succeeded the registry may go.
func Connect(ctx context.Context, url string, logger *slog.Logger) (*Registry, error) {
	client, err := newClient(url)
	if err != nil {
		return nil, err
	}
	ids := map[schemas.RecordName]uint32{}
	deadline := time.Now().Add(startTimeout)
	for attempt := 0; len(ids) < len(schemas.RecordNames); attempt++ {
		err := publishMissing(ctx, client, ids)
		var unavailable *UnavailableError
		if err == nil {
			break
		}
		if !errors.As(err, &unavailable) || ctx.Err() != nil || time.Now().After(deadline) {
			return nil, err
		}
		if attempt%10 == 0 {
			logger.Warn("the schema registry does not answer, trying again", "error", err)
		}
		select {
		case <-time.After(retryPause):
		case <-ctx.Done():
		}
	}
	codec, err := schemas.NewCodec(ids)
	if err != nil {
		return nil, err
	}
	return &Registry{
		Codec: codec, client: client, logger: logger,
		learning: map[uint32]*learning{}, unknownUntil: map[uint32]time.Time{},
	}, nil
}

func publishMissing(ctx context.Context, client *client, ids map[schemas.RecordName]uint32) error {
	for _, name := range schemas.RecordNames {
		if _, published := ids[name]; published {
			continue
		}
		id, err := client.publish(ctx, name)
		if err != nil {
			return err
		}
		ids[name] = id
	}
	return nil
}

// Learn asks for the schema that [schemas.UnknownSchemaError] names (once, whoever asks) and teaches it to the codec. False where
// the registry has no such schema, or none that can be used: the value is not decodable, for the next half minute at least. An
// error where that cannot be known now: wait, do not pass over the record.
func (r *Registry) Learn(ctx context.Context, id uint32) (known bool, err error) {
	r.mu.Lock()
	if time.Now().Before(r.unknownUntil[id]) {
		r.mu.Unlock()
		return false, nil
	}
	asking := r.learning[id]
	if asking == nil {
		asking = &learning{done: make(chan struct{})}
		r.learning[id] = asking
		go r.ask(id, asking)
	}
	r.mu.Unlock()
	select {
	case <-asking.done:
		return asking.known, asking.err
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

func (r *Registry) ask(id uint32, asking *learning) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*requestTimeout)
	defer cancel()
	text, err := r.client.schema(ctx, id)
	if err == nil {
		if _, unusable := r.Codec.Learn(id, text); unusable == nil {
			asking.known = true
		} else {
			r.logger.Warn("a schema of the registry cannot be read here", "schemaId", id, "error", unusable)
		}
	} else if !errors.Is(err, errNotFound) {
		asking.err = err
	}
	r.mu.Lock()
	if asking.err == nil && !asking.known {
		if len(r.unknownUntil) >= maxUnknown {
			clear(r.unknownUntil)
		}
		r.unknownUntil[id] = time.Now().Add(unknownFor)
	}
	delete(r.learning, id)
	r.mu.Unlock()
	close(asking.done)
}
