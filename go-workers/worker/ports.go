package worker

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/sharequeue"
	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
)

// longestWait for records; then it begins again: for the health of the worker, no more.
const longestWait = 5 * time.Second

// Queues are those of one type, by priority.
type Queues struct {
	byPriority map[string]*sharequeue.Queue
	byTopic    map[string]string // topic → priority
	set        *sharequeue.Set
	ctx        context.Context // of what is asked about sessions
	cancel     context.CancelFunc

	mu     sync.Mutex
	facts  map[*sharequeue.Hold]*sessionFacts
	onLost func(*sharequeue.Hold)
}

func newQueues() *Queues {
	q := &Queues{
		byPriority: map[string]*sharequeue.Queue{}, byTopic: map[string]string{}, facts: map[*sharequeue.Hold]*sessionFacts{},
	}
	q.ctx, q.cancel = context.WithCancel(context.Background())
	return q
}

// join the queues, given by priority.
func (q *Queues) join(byPriority map[string]*sharequeue.Queue) {
	q.byPriority = byPriority
	var all []*sharequeue.Queue
	for priority, queue := range byPriority {
		q.byTopic[queue.Topic()] = priority
		all = append(all, queue)
	}
	q.set = sharequeue.NewSet(all...)
}

func (q *Queues) sessionOpened(source *factSource, hold *sharequeue.Hold) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.facts[hold] = newSessionFacts(q.ctx, source, hold)
}

func (q *Queues) sessionLost(hold *sharequeue.Hold) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.facts, hold)
	if q.onLost != nil {
		go q.onLost(hold)
	}
}

// whenSessionLost is called with each hold that is over. It is set before anything is fetched.
func (q *Queues) whenSessionLost(onLost func(*sharequeue.Hold)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.onLost = onLost
}

// factsOf gives what was asked when the hold began; what is over has none.
func (q *Queues) factsOf(hold *sharequeue.Hold) *sessionFacts {
	q.mu.Lock()
	defer q.mu.Unlock()
	if facts := q.facts[hold]; facts != nil {
		return facts
	}
	none := &sessionFacts{hold: hold, ready: make(chan struct{})}
	close(none.ready)
	return none
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

// rankOf a record's priority: 0 for the most urgent one.
func (q *Queues) rankOf(record *sharequeue.Delivered) int {
	return slices.Index(schemas.Priorities, q.byTopic[record.Topic])
}

// close leaves the groups, all at once.
func (q *Queues) close() {
	q.cancel()
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	var closing sync.WaitGroup
	for _, queue := range q.byPriority {
		closing.Go(func() { queue.Close(ctx) })
	}
	closing.Wait()
}
