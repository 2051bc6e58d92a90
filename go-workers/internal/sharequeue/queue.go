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

	"github.com/twmb/franz-go/pkg/kgo"
)

// ErrClosed is what a fetch of a closed queue gives.
var ErrClosed = errors.New("the queue was closed")

// A Config says which queue to read, and how.
type Config struct {
	// Client asks for leaders and speaks with the group's coordinator. The process shares it.
	Client *kgo.Client
	// Options for the connections of sessions: client id, SASL. (TLS is the dialer's.)
	Options []kgo.Opt
	// Dial connects to brokers; plain TCP unless set.
	Dial Dialer
	// Topic is the queue: a share group reads one topic here.
	Topic string
	Group string
	// MemberID is that of this process in this group; kept for the queue's whole life. A random one unless set.
	MemberID string
	// OnSessionLost: a hold is over. What was delivered on it is free for others at this moment, or will be in the next. Whatever
	// runs may go on running; it is to be handed over in the log at once, because its accept does nothing any more. It must not wait.
	OnSessionLost func(hold *Hold, reason error)
	// MaxBytes that one fetch may bring (one record more than that at most). 16 MiB unless set.
	MaxBytes int32
	// AnswerTimeout of the broker, beside the wait that a fetch asks for. 10 s unless set: shorter than the records' locks.
	AnswerTimeout time.Duration
	Logger        *slog.Logger
}

// Health is how a queue fares.
type Health struct {
	Membership MembershipState
	// SinceHeartbeat and SinceFetch count from the last good answer; negative while there was none.
	SinceHeartbeat, SinceFetch time.Duration
	// AssignedPartitions are those that the group has given to this member.
	AssignedPartitions int
	// OpenSessions, one for each broker that leads some of them.
	OpenSessions int
	// Held records are delivered and not settled.
	Held             int
	LastError        error
	Acknowledgements AcknowledgementCounts
	SessionsLost     int64
}

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
	plan         chan struct{} // buffered: leaders are to be found anew
	ctx          context.Context
	cancel       context.CancelFunc
	planning     sync.WaitGroup

	mu         sync.Mutex
	assignment []partitionID
	sessions   map[int32]*session
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
		plan:   make(chan struct{}, 1), sessions: map[int32]*session{},
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

// Accept: the record is done with. Sent with the next fetch, or at once when none is under way; again until the session is lost.
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

// Health says how the queue fares now.
func (q *Queue) Health() Health {
	now := time.Now()
	health := Health{SinceHeartbeat: -1, SinceFetch: -1, Acknowledgements: q.counts.read(), SessionsLost: q.sessionsLost.Load()}
	q.mu.Lock()
	health.AssignedPartitions = len(q.assignment)
	q.mu.Unlock()
	q.member.mu.Lock()
	health.Membership, health.LastError = q.member.state, q.member.lastError
	if at := q.member.lastHeartbeatAt; !at.IsZero() {
		health.SinceHeartbeat = now.Sub(at)
	}
	q.member.mu.Unlock()
	for _, session := range q.allSessions() {
		session.mu.Lock()
		if session.epoch != openingEpoch {
			health.OpenSessions++
		}
		for _, partition := range session.known {
			health.Held += partition.held
		}
		if at := session.lastFetchAt; !at.IsZero() && (health.SinceFetch < 0 || now.Sub(at) < health.SinceFetch) {
			health.SinceFetch = now.Sub(at)
		}
		if health.LastError == nil {
			health.LastError = session.lastError
		}
		session.mu.Unlock()
	}
	return health
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

// sources are what may be polled now; several leaders take turns at being asked first.
func (q *Queue) sources() []pollSource {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil
	}
	sources := make([]pollSource, 0, len(q.order))
	q.turn++
	for i := range q.order {
		session := q.order[(i+q.turn)%len(q.order)]
		session.mu.Lock()
		if len(session.wanted) > 0 {
			sources = append(sources, session)
		}
		session.mu.Unlock()
	}
	return sources
}

func (q *Queue) allSessions() []*session {
	q.mu.Lock()
	defer q.mu.Unlock()
	return append([]*session(nil), q.order...)
}

// onChange calls back when a source may have become ready, or all that waited is acknowledged; until it is stopped.
func (q *Queue) onChange(listener func()) (stop func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	at := len(q.listeners)
	for i, free := range q.listeners {
		if free == nil {
			at = i
		}
	}
	if at == len(q.listeners) {
		q.listeners = append(q.listeners, nil)
	}
	q.listeners[at] = listener
	return func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.listeners[at] = nil
	}
}

func (q *Queue) changed() {
	q.polls.changed()
	q.mu.Lock()
	listeners := append([]func(){}, q.listeners...)
	q.mu.Unlock()
	for _, listener := range listeners {
		if listener != nil {
			listener()
		}
	}
}

func (q *Queue) lost(holds []*Hold, reason error) {
	q.sessionsLost.Add(int64(len(holds)))
	if q.config.OnSessionLost == nil {
		return
	}
	for _, hold := range holds {
		q.config.OnSessionLost(hold, reason)
	}
}

func (q *Queue) assign(partitions []partitionID) {
	q.mu.Lock()
	q.assignment = partitions
	q.mu.Unlock()
	q.replan()
}

// replan: leaders may have changed.
func (q *Queue) replan() {
	select {
	case q.plan <- struct{}{}:
	default:
	}
}

// keepPlanned finds leaders, and gives each session the partitions that its broker leads.
func (q *Queue) keepPlanned() {
	defer q.planning.Done()
	failures := 0
	for {
		select {
		case <-q.plan:
		case <-q.ctx.Done():
			return
		}
		for q.ctx.Err() == nil {
			leaders, err := q.brokers.leaders(q.ctx, q.config.Topic)
			if err == nil && q.distribute(leaders) {
				failures = 0
				break
			}
			failures++
			q.logger.Debug("leaders of a queue are not known yet", "error", err)
			select {
			case <-time.After(20*time.Millisecond + backoff(failures)):
			case <-q.ctx.Done():
			}
		}
	}
}

// distribute is false where a partition assigned has no leader at present.
func (q *Queue) distribute(leaders map[partitionID]int32) bool {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return true
	}
	byBroker := map[int32][]partitionID{}
	complete := true
	for _, id := range q.assignment {
		if leader, ok := leaders[id]; ok {
			byBroker[leader] = append(byBroker[leader], id)
		} else {
			complete = false
		}
	}
	for brokerID := range byBroker {
		if q.sessions[brokerID] == nil {
			q.sessions[brokerID] = newSession(q, brokerID)
			q.order = append(q.order, q.sessions[brokerID])
		}
	}
	sessions := append([]*session(nil), q.order...)
	q.mu.Unlock()
	for _, session := range sessions {
		session.want(byBroker[session.brokerID])
	}
	q.changed()
	return complete
}

// randomMemberID is a UUID in the form that Kafka's own clients give to members.
func randomMemberID() string {
	var bytes [16]byte
	_, _ = rand.Read(bytes[:])
	return base64.RawURLEncoding.EncodeToString(bytes[:])
}
