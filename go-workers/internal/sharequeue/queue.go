package sharequeue

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// ErrClosed is what a fetch of a closed queue gives.
var ErrClosed = errors.New("the queue was closed")

// A Queue takes records from a topic by a share group. It heals by itself: a lost connection, session or membership, a new
// leader or coordinator, a topic that is created or deleted show in Health and OnSessionLost; Fetch goes on giving what there
// is. It is safe for concurrent use, but for one Fetch at a time.
type Queue struct {
	config  Config
	brokers brokers
	logger  *slog.Logger
	counts  ackCounters
	member  *membership
	polls   *polls

	sessionsLost atomic.Int64
	settling     atomic.Int32  // so many wait until all is settled
	plan         chan struct{} // buffered: leaders are to be found anew
	ctx          context.Context
	cancel       context.CancelFunc
	planning     sync.WaitGroup

	mu         sync.Mutex
	assignment []partitionID
	sessions   map[int32]*session
	shown      map[partitionID]*shown
	order      []*session
	turn       int
	listeners  []func()
	closed     bool
}

// Open joins the share group of a queue. It fails where that cannot succeed; a broker that is away now is waited for meanwhile.
func Open(ctx context.Context, config Config) (*Queue, error) {
	if config.MemberID == "" {
		config.MemberID = randomMemberID()
	}
	if config.MaxBytes == 0 {
		config.MaxBytes = 16 << 20
	}
	if config.AnswerTimeout == 0 {
		config.AnswerTimeout = 10 * time.Second
	}
	if config.Dial == nil {
		config.Dial = (&net.Dialer{Timeout: 5 * time.Second}).DialContext
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	q := &Queue{
		config: config, brokers: brokers{client: config.Client},
		logger: config.Logger.With("topic", config.Topic, "group", config.Group),
		plan:   make(chan struct{}, 1), sessions: map[int32]*session{}, shown: map[partitionID]*shown{},
	}
	q.ctx, q.cancel = context.WithCancel(context.Background())
	q.polls = newPolls(func(records []*Delivered) {
		for _, record := range records {
			q.Release(record)
		}
	})
	member, err := join(ctx, q, q.assign)
	if err != nil {
		q.cancel()
		return nil, err
	}
	q.member = member
	q.planning.Add(1)
	go q.keepPlanned()
	return q, nil
}

// Topic is the queue's.
func (q *Queue) Topic() string { return q.config.Topic }

// Fetch waits for records, and gives those that came first: not more than maxRecords, often fewer. It gives none after
// maxWait, or at once when ctx ends; its only error is [ErrClosed].
//
// A fetch that the broker holds cannot be called back. Records that arrive after the end of ctx are released, which costs
// them a delivery; that happens only to what arrives within the moment (at most 500 ms) in which the broker still holds it.
func (q *Queue) Fetch(ctx context.Context, maxRecords int, maxWait time.Duration) ([]*Delivered, error) {
	if q.isClosed() {
		return nil, ErrClosed
	}
	return q.polls.fetch(ctx, q.sources, maxRecords, maxWait), nil
}

// Accept: the record is done with. Sent with others after a tenth of a second at most, unless a fetch is under way; again until the
// session is lost. What is given back is sent at once, and everything while somebody waits for [Queue.Settled] or [Queue.Close].
func (q *Queue) Accept(record *Delivered) { settle(record, ackAccept) }

// Release gives the record back for others. Its next delivery counts one more.
func (q *Queue) Release(record *Delivered) { settle(record, ackRelease) }

// Reject takes the record out of the queue as one that nobody can process.
func (q *Queue) Reject(record *Delivered) { settle(record, ackReject) }

func settle(record *Delivered, kind ackType) { record.hold.owner.session.settle(record, kind) }

// Renew prolongs locks by the lock duration, and LockedUntil with them. It gives those whose lock was gone. What could not be
// renewed for another reason is not among them, and its lock runs on.
func (q *Queue) Renew(ctx context.Context, records []*Delivered) (lost []*Delivered) {
	bySession := map[*session][]*Delivered{}
	for _, record := range records {
		session := record.hold.owner.session
		bySession[session] = append(bySession[session], record)
	}
	calls := make([]*renewalCall, 0, len(bySession))
	for session, records := range bySession {
		calls = append(calls, session.renew(records))
	}
	for _, call := range calls {
		select {
		case <-call.finished:
			lost = append(lost, call.lost...)
		case <-ctx.Done():
			return lost
		}
	}
	return lost
}

// Settled returns when everything accepted, released or rejected so far is acknowledged, or its session lost; or when ctx ends.
func (q *Queue) Settled(ctx context.Context) error {
	changes := make(chan struct{}, 1)
	stop := q.onChange(func() {
		select {
		case changes <- struct{}{}:
		default:
		}
	})
	defer stop()
	q.settling.Add(1)
	defer q.settling.Add(-1)
	for _, session := range q.allSessions() {
		session.wakeUp()
	}
	for {
		settled := true
		for _, session := range q.allSessions() {
			settled = settled && session.settledAll()
		}
		if settled {
			return nil
		}
		select {
		case <-changes:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Close sends the acknowledgements that wait (until ctx ends, while the broker is away), gives back at once what is not
// settled, leaves the group. Records that a pending fetch still brings are given back, too.
func (q *Queue) Close(ctx context.Context) {
	q.mu.Lock()
	wasClosed := q.closed
	q.closed = true
	q.mu.Unlock()
	if wasClosed {
		return
	}
	q.cancel()
	q.planning.Wait()
	q.changed()
	var closing sync.WaitGroup
	for _, session := range q.allSessions() {
		closing.Go(func() { session.close(ctx) })
	}
	closing.Wait()
	q.member.leave(ctx)
	q.changed()
}

func (q *Queue) isClosed() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed
}

// randomMemberID is a UUID in the form that Kafka's own clients give to members.
func randomMemberID() string {
	var bytes [16]byte
	_, _ = rand.Read(bytes[:])
	return base64.RawURLEncoding.EncodeToString(bytes[:])
}
