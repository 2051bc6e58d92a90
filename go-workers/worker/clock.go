package worker

import (
	"sync"
	"time"
)

// A brokerClock is the broker's time, as near as this process knows it: the latest time stamp it has seen, plus what its own
// monotonic clock has counted since. Expiry is judged by it, so that a worker with a wrong clock expires nothing early.
type brokerClock struct {
	mu     sync.Mutex
	latest int64
	seenAt time.Time
}

func (c *brokerClock) saw(appendedAt int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seenAt.IsZero() || appendedAt > c.latest+time.Since(c.seenAt).Milliseconds() {
		c.latest, c.seenAt = appendedAt, time.Now()
	}
}

func (c *brokerClock) now() int64 { return c.at(time.Now()) }

// at gives the broker's time at a moment of this process.
func (c *brokerClock) at(moment time.Time) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seenAt.IsZero() {
		return 0
	}
	return c.latest + moment.Sub(c.seenAt).Milliseconds()
}

// monotonicMs is the process's monotonic clock as package protocol counts it.
func monotonicMs(at time.Time) int64 { return at.Sub(began).Milliseconds() }

var began = time.Now()
