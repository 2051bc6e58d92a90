package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/logreader"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/protocol"
	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
	"github.com/twmb/franz-go/pkg/kgo"
)

const controlTimeout = 60 * time.Second

// A Control follows taskflow.control: which tasks are cancelled, which types are paused.
type Control struct {
	decode func(context.Context, []byte) (schemas.Record, error)
	logger *slog.Logger
	client *kgo.Client
	stop   context.CancelFunc
	done   chan struct{}

	mu      sync.RWMutex
	state   *protocol.Control
	changed func(cancelled bool)
}

// followControl returns once the topic has been read to the end that it had, and follows it until it is closed.
func followControl(
	ctx context.Context, client *kgo.Client, reader *logreader.Reader,
	decode func(context.Context, []byte) (schemas.Record, error), logger *slog.Logger,
) (*Control, error) {
	c := &Control{decode: decode, logger: logger, client: client, done: make(chan struct{}), state: protocol.NewControl()}
	ends, err := controlEnds(ctx, reader, logger)
	if err != nil {
		return nil, err
	}
	for partition, end := range ends {
		if end == 0 {
			delete(ends, partition)
		}
	}
	following, stop := context.WithCancel(context.Background())
	c.stop = stop
	caughtUp := make(chan struct{})
	if len(ends) == 0 {
		close(caughtUp)
	}
	go c.follow(following, ends, caughtUp)
	select {
	case <-caughtUp:
		return c, nil
	case <-ctx.Done():
		c.close()
		return nil, ctx.Err()
	}
}

func controlOptions() []kgo.Opt {
	return []kgo.Opt{
		kgo.ConsumeTopics(schemas.ControlTopic), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
		kgo.FetchMaxWait(500 * time.Millisecond),
	}
}

func controlEnds(ctx context.Context, reader *logreader.Reader, logger *slog.Logger) (map[int32]int64, error) {
	ctx, cancel := context.WithTimeout(ctx, controlTimeout)
	defer cancel()
	for failures := 1; ; failures++ {
		ends, err := reader.Ends(ctx, schemas.ControlTopic)
		if err == nil && len(ends) > 0 {
			return ends, nil
		}
		if failures%10 == 1 {
			logger.Warn("the end of the control topic is not known yet; trying again", "error", err)
		}
		if !pause(ctx, retryPause(failures)) {
			return nil, fmt.Errorf("topic %s: %w", schemas.ControlTopic, errors.Join(err, ctx.Err()))
		}
	}
}

// follow until ctx ends. ahead are the ends that the partitions had; caughtUp is closed once all are reached.
func (c *Control) follow(ctx context.Context, ahead map[int32]int64, caughtUp chan struct{}) {
	defer close(c.done)
	for ctx.Err() == nil {
		fetches := c.client.PollFetches(ctx)
		if ctx.Err() != nil {
			return
		}
		fetches.EachError(func(_ string, partition int32, err error) {
			c.logger.Warn("the control topic cannot be read; trying again", "partition", partition, "error", err)
		})
		cancelled, any := false, false
		fetches.EachRecord(func(record *kgo.Record) {
			any = true
			cancelled = c.apply(ctx, record) || cancelled
			if end, waits := ahead[record.Partition]; waits && record.Offset >= end-1 {
				delete(ahead, record.Partition)
				if len(ahead) == 0 {
					close(caughtUp)
				}
			}
		})
		c.mu.RLock()
		changed := c.changed
		c.mu.RUnlock()
		if any && changed != nil {
			changed(cancelled)
		}
	}
}

// apply a record; true where it cancels a task.
func (c *Control) apply(ctx context.Context, record *kgo.Record) bool {
	var decoded schemas.Record
	if record.Value != nil {
		var err error
		if decoded, err = c.read(ctx, record.Value); err != nil {
			c.logger.Error("a record of the control topic is passed over", "offset", record.Offset, "error", err)
			return false
		}
	}
	c.mu.Lock()
	c.state.Apply(string(record.Key), decoded)
	c.mu.Unlock()
	_, cancels := decoded.(*schemas.TaskCancelRequested)
	return cancels
}

// read waits for the registry, where it has to be asked.
func (c *Control) read(ctx context.Context, value []byte) (schemas.Record, error) {
	for failures := 1; ; failures++ {
		record, err := c.decode(ctx, value)
		var unavailable *unavailableError
		if !errors.As(err, &unavailable) || !pause(ctx, retryPause(failures)) {
			return record, err
		}
	}
}

// whenChanged is told of what comes from now on.
func (c *Control) whenChanged(changed func(cancelled bool)) {
	c.mu.Lock()
	c.changed = changed
	c.mu.Unlock()
}

func (c *Control) isCancelled(run *schemas.Head) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.state.IsCancelled(run)
}

func (c *Control) isPaused(taskType string) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.state.IsPaused(taskType)
}

// close waits for the client for a moment only: it may be in the middle of a question to a broker that does not answer.
func (c *Control) close() {
	c.stop()
	<-c.done
	closed := make(chan struct{})
	go func() {
		c.client.Close()
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(closeTimeout):
	}
}
