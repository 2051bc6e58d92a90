package worker

import (
	"context"
	"sync"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/sharequeue"
)

// longestWait for records; then it begins again: for the health of the worker, no more.
const longestWait = 5 * time.Second

// Queues are those of one type, by priority.
type Queues struct {
	byPriority map[string]*sharequeue.Queue
	byTopic    map[string]string // topic → priority
	set        *sharequeue.Set
}

// NewQueues joins the queues of a type, given by priority.
func NewQueues(byPriority map[string]*sharequeue.Queue) *Queues {
	q := &Queues{byPriority: byPriority, byTopic: map[string]string{}}
	var all []*sharequeue.Queue
	for priority, queue := range byPriority {
		q.byTopic[queue.Topic()] = priority
		all = append(all, queue)
	}
	q.set = sharequeue.NewSet(all...)
	return q
}

func (q *Queues) fetch(ctx context.Context, order []string, maxRecords int) ([]*sharequeue.Delivered, error) {
	queues := make([]*sharequeue.Queue, len(order))
	for i, priority := range order {
		queues[i] = q.byPriority[priority]
	}
	return q.set.Fetch(ctx, queues, maxRecords, longestWait)
}

// of gives the queue that a record is from.
func (q *Queues) of(record *sharequeue.Delivered) *sharequeue.Queue {
	return q.byPriority[q.byTopic[record.Topic]]
}

// close leaves the groups, all at once.
func (q *Queues) close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	var closing sync.WaitGroup
	for _, queue := range q.byPriority {
		closing.Go(func() { queue.Close(ctx) })
	}
	closing.Wait()
}
