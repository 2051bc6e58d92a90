package sharequeue

import (
	"context"
	"sync"
	"time"
)

// The epochs that open and close a share session; the one after the last is 1.
const (
	openingEpoch = 0
	closingEpoch = -1
	lastEpoch    = 0x7fff_ffff
)

// A poll is somebody who waits for records.
type poll struct {
	maxRecords int
	maxWait    time.Duration
	answer     chan []*Delivered // buffered: whoever answers does not wait
}

// A session is the share session of one member with one broker, on a connection of its own, one request at a time. It heals by
// itself: whatever ends the session ends every hold within it, and the next poll opens a new one.
//
// Two traps of the broker (4.4). Locks belong to the member's id, so a session that is opened anew would not give up those of
// records whose answer was lost: after a loss a session is opened, closed (that frees them) and opened again. And when a
// connection ends, the broker ends whatever session its member has at that moment, also one opened since on another
// connection: so a sound connection is kept, and one that was cut is followed by a pause.
//
// A third: a fetch whose answer is throttled has locked its records all the same, and the answer is empty. They come again when
// their locks end, and each time counts as a delivery. So the session fetches nothing for a while then (docs/decisions/0024).
type session struct {
	queue    *Queue
	brokerID int32
	wake     chan struct{} // buffered: something is to be looked at
	done     chan struct{}
	ctx      context.Context
	cancel   context.CancelFunc

	// Of the loop alone.
	conn         *connection
	members      map[partitionID]bool // partitions that the broker's session holds; false: the broker does not serve it
	mayHoldLocks bool
	failures     int
	ackFailures  int
	throttled    int // fetches in a row

	mu          sync.Mutex
	known       map[partitionID]*sharePartition // ever fetched from, also given up ones whose records are not settled yet
	wanted      map[partitionID]bool
	pausedUntil map[partitionID]time.Time
	renewals    renewals
	pacing      ackPacing
	pending     *poll
	epoch       int32 // of the next request; openingEpoch: there is no session
	closing     bool
	resumeAt    time.Time
	ackAt       time.Time
	lastFetchAt time.Time
	lastError   error
}

func newSession(queue *Queue, brokerID int32) *session {
	ctx, cancel := context.WithCancel(context.Background())
	s := &session{
		queue: queue, brokerID: brokerID, wake: make(chan struct{}, 1), done: make(chan struct{}), ctx: ctx, cancel: cancel,
		members: map[partitionID]bool{}, known: map[partitionID]*sharePartition{},
		wanted: map[partitionID]bool{}, pausedUntil: map[partitionID]time.Time{},
	}
	go s.run()
	return s
}

// ready says whether a poll makes sense now; the queue's onChange follows when that becomes true.
func (s *session) ready() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	return s.pending == nil && !s.closing && !s.resumeAt.After(now) && len(s.active(now)) > 0
}

func (s *session) holds() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, partition := range s.known {
		if partition.held > 0 {
			return true
		}
	}
	return false
}

// poll asks for records; when it fails it gives none. One at a time, for a session that is ready.
func (s *session) poll(maxRecords int, maxWait time.Duration) []*Delivered {
	asked := &poll{maxRecords, maxWait, make(chan []*Delivered, 1)}
	s.mu.Lock()
	if s.pending != nil || s.closing {
		s.mu.Unlock()
		return nil
	}
	s.pending = asked
	s.mu.Unlock()
	s.wakeUp()
	return <-asked.answer
}

func (s *session) settle(record *Delivered, kind ackType) {
	s.mu.Lock()
	now := time.Now()
	counts, ready := record.hold.owner.settle(record, kind, now)
	look := counts && (s.pacing.added(kind, ready, now) || s.isHurried())
	s.mu.Unlock()
	if look {
		s.wakeUp()
	}
}

// isHurried: somebody waits until all is settled. The mutex is held.
func (s *session) isHurried() bool { return s.closing || s.queue.settling.Load() > 0 }

func (s *session) renew(records []*Delivered) *renewalCall {
	s.mu.Lock()
	call := s.renewals.add(records)
	s.mu.Unlock()
	s.wakeUp()
	return call
}

// want says which partitions to fetch from.
func (s *session) want(partitions []partitionID) {
	s.mu.Lock()
	s.wanted = map[partitionID]bool{}
	for _, id := range partitions {
		s.wanted[id] = true
	}
	for id := range s.pausedUntil {
		if !s.wanted[id] {
			delete(s.pausedUntil, id)
		}
	}
	for id, partition := range s.known {
		if !s.wanted[id] && partition.held == 0 && partition.settledAll() {
			delete(s.known, id)
		}
	}
	s.mu.Unlock()
	s.wakeUp()
}

// settledAll says that nothing waits to be acknowledged, and nothing is on its way.
func (s *session) settledAll() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.allSettled()
}

// close takes no more polls, sends what waits (until ctx ends), gives up every lock, ends the connection.
func (s *session) close(ctx context.Context) {
	s.mu.Lock()
	s.closing = true
	s.mu.Unlock()
	s.wakeUp()
	select {
	case <-s.done:
	case <-ctx.Done():
		s.cancel()
		<-s.done
	}
}

func (s *session) wakeUp() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
