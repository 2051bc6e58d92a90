package sharequeue_test

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/sharequeue"
)

// A consumption takes and accepts whatever comes, by several consumers, until it is stopped.
type consumption struct {
	consuming sync.WaitGroup
	stop      context.CancelFunc

	mu   sync.Mutex
	seen map[string]bool
}

func (f *fixture) consume(consumers ...*sharequeue.Queue) *consumption {
	ctx, stop := context.WithCancel(f.Context())
	c := &consumption{stop: stop, seen: map[string]bool{}}
	for _, consumer := range consumers {
		c.consuming.Go(func() {
			for ctx.Err() == nil {
				records, _ := consumer.Fetch(ctx, 5, 300*time.Millisecond)
				for _, record := range records {
					consumer.Accept(record)
				}
				_ = consumer.Settled(ctx)
				c.mu.Lock()
				for _, record := range records {
					c.seen[string(record.Value)] = true
				}
				c.mu.Unlock()
			}
		})
	}
	f.Cleanup(c.end)
	return c
}

func (c *consumption) end() {
	c.stop()
	c.consuming.Wait()
}

func (c *consumption) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.seen)
}

// values that have come so far, each once.
func (c *consumption) values() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]string, 0, len(c.seen))
	for value := range c.seen {
		all = append(all, value)
	}
	slices.Sort(all)
	return all
}
