// Package appender brings events to the log: it coalesces what comes together into one request, tells each caller when its
// record is acknowledged by all in-sync replicas, and sends again while the broker is away.
package appender

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

var (
	// ErrWithdrawn: the record was not to be sent any more.
	ErrWithdrawn = errors.New("the record was withdrawn before it was on the log")
	// ErrClosed: the appender was closed before the record was on the log.
	ErrClosed = errors.New("the appender was closed")
	// ErrFull: more waits than the appender may hold.
	ErrFull = errors.New("too many records wait to be appended")
)

// A Record is to be appended to a partition that the caller has chosen.
type Record struct {
	Topic     string
	Partition int32
	Key       string
	Value     []byte
	// Withdraw, where set, is asked before the record is sent, and again before it is sent after a failure (its own, or one that it
	// waited through): true if what it says may no longer be said. It is dropped then. It must not wait, nor append.
	Withdraw func(again bool) bool
	// Done, where set, is told what became of the record: nil when it is on the log. Otherwise it never will be: [ErrWithdrawn],
	// [ErrClosed], or why the log cannot take it ([IsTooLarge]). It must not wait.
	Done func(error)

	// Offset and SentAt are set once the record is on the log: where it is, and before it left.
	Offset int64
	SentAt time.Time

	failures int // of the appender, when the record began to wait
}

func (record *Record) done(err error) {
	if record.Done != nil {
		record.Done(err)
	}
}

// Options of an appender. The zero value of a field stands for its default.
type Options struct {
	// MaxPending records wait at most; by default the caller bounds what is under way.
	MaxPending int
	Logger     *slog.Logger
}

const (
	// One batch of records is on its way at a time; what comes meanwhile gathers for the next.
	maxBatchRecords = 5_000
	maxBatchBytes   = 8 << 20
	// After a batch of several records the next one leaves no sooner than an interval after it, so much for each record: under load
	// what happens at about the same time leaves together, for a request costs the broker and every reader of the events as much as
	// dozens of records.
	several           = 3
	intervalForRecord = 3 * time.Millisecond
	longestInterval   = 20 * time.Millisecond
	firstPause        = 100 * time.Millisecond
	// immediately: the client's first repetition after a cut connection. Others give a hand-over half a second.
	immediately = 10 * time.Millisecond
	// longestRepetition: a broker that is back is found so soon, before others take what was not handed over yet, and before leases end.
	longestRepetition = 500 * time.Millisecond
	// deliveryTimeout is how long the client tries by itself. Then the records are asked whether they are still to be sent.
	deliveryTimeout = 5 * time.Second
)

// ClientOptions are what a client needs for an appender, beside those of its connections. A record whose answer is lost is
// sent again in the end, so it may be on the log twice: repeated events have one id and change no fold.
func ClientOptions() []kgo.Opt {
	return []kgo.Opt{
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.ManualFlushing(),
		kgo.MaxBufferedRecords(2 * maxBatchRecords),
		kgo.RecordDeliveryTimeout(deliveryTimeout),
		kgo.ProduceRequestTimeout(deliveryTimeout),
		kgo.AllowIdempotentProduceCancellation(),
		kgo.UnknownTopicRetries(4),
		kgo.RetryBackoffFn(pauseBefore),
	}
}

// pauseBefore the repetition with this number (1 is the first): a random time up to a bound.
func pauseBefore(repetition int) time.Duration {
	bound := immediately
	if repetition > 1 {
		bound = min(longestRepetition, firstPause<<min(repetition-1, 10))
	}
	return time.Duration(rand.Float64() * float64(bound))
}

// A producer is what an appender needs of a client.
type producer interface {
	Produce(ctx context.Context, record *kgo.Record, promise func(*kgo.Record, error))
	Flush(ctx context.Context) error
}

// An Appender is safe for concurrent use. Records of one partition stay in the order in which they were appended.
type Appender struct {
	client  producer
	options Options
	wake    chan struct{} // buffered
	stop    context.CancelFunc
	done    chan struct{}

	mu      sync.Mutex
	waiting []*Record
	sending int
	// failures so far: what was sent, or waited, through one is asked again whether it may still be said.
	failures int
	moved    time.Time // when something was last appended, or began to wait
	closed   bool
	idle     chan struct{} // closed when nothing waits any more; nil: nobody asks
}

// New gives an appender on a client that has [ClientOptions], and is used for nothing else that produces.
func New(client *kgo.Client, options Options) *Appender { return start(client, options) }

func start(client producer, options Options) *Appender {
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	ctx, stop := context.WithCancel(context.Background())
	a := &Appender{client: client, options: options, wake: make(chan struct{}, 1), stop: stop, done: make(chan struct{})}
	go a.run(ctx)
	return a
}

// Append takes a record; its Done tells the rest. The error is [ErrFull] or [ErrClosed], and Done is not called then.
func (a *Appender) Append(record *Record) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return ErrClosed
	}
	if a.options.MaxPending > 0 && len(a.waiting)+a.sending >= a.options.MaxPending {
		return ErrFull
	}
	if len(a.waiting)+a.sending == 0 {
		a.moved = time.Now()
	}
	record.failures = a.failures
	a.waiting = append(a.waiting, record)
	select {
	case a.wake <- struct{}{}:
	default:
	}
	return nil
}

// AppendAndWait returns when all records are on the log, with the first reason why one is not, or when ctx ends.
func (a *Appender) AppendAndWait(ctx context.Context, records ...*Record) error {
	results := make(chan error, len(records))
	for _, record := range records {
		record.Done = func(err error) { results <- err }
		if err := a.Append(record); err != nil {
			return err
		}
	}
	var first error
	for range records {
		select {
		case err := <-results:
			if first == nil {
				first = err
			}
		case <-ctx.Done():
			return fmt.Errorf("the records are not on the log yet: %w", ctx.Err())
		}
	}
	return first
}

// Pending says how many records are not on the log yet.
func (a *Appender) Pending() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.waiting) + a.sending
}

// Stuck is the time since anything moved while something waited; 0 when all is well.
func (a *Appender) Stuck() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.waiting)+a.sending == 0 {
		return 0
	}
	return time.Since(a.moved)
}

// Flush returns true when nothing waits any more, false when ctx ends first.
func (a *Appender) Flush(ctx context.Context) bool {
	a.mu.Lock()
	if len(a.waiting)+a.sending == 0 {
		a.mu.Unlock()
		return true
	}
	if a.idle == nil {
		a.idle = make(chan struct{})
	}
	idle := a.idle
	a.mu.Unlock()
	select {
	case <-idle:
		return true
	case <-ctx.Done():
		return false
	}
}

// Close takes nothing more, and gives up what is not on the log.
func (a *Appender) Close() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.stop()
	<-a.done
	a.mu.Lock()
	left := a.waiting
	a.waiting = nil
	a.mu.Unlock()
	for _, record := range left {
		record.done(ErrClosed)
	}
}

func (a *Appender) run(ctx context.Context) {
	defer close(a.done)
	failures := 0
	var notBefore time.Time
	for pause(ctx, time.Until(notBefore)) {
		batch := a.take()
		if len(batch) == 0 {
			select {
			case <-a.wake:
			case <-ctx.Done():
			}
			continue
		}
		if len(batch) >= several {
			notBefore = time.Now().Add(min(longestInterval, time.Duration(len(batch))*intervalForRecord))
		}
		left, err := a.send(ctx, batch)
		a.keep(left, len(left) < len(batch))
		if len(left) == 0 {
			failures = 0
			continue
		}
		failures++
		wait := pauseBefore(failures)
		a.options.Logger.Warn("events could not be appended; trying again",
			"events", len(left), "pause", wait, "failures", failures, "error", err)
		pause(ctx, wait)
	}
}

// pause is false when ctx has ended.
func pause(ctx context.Context, wait time.Duration) bool {
	if wait > 0 {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
	return ctx.Err() == nil
}

// take gives what to send next, without what was withdrawn.
func (a *Appender) take() []*Record {
	a.mu.Lock()
	var withdrawn []*Record
	var batch []*Record
	size, taken := 0, 0
	for _, record := range a.waiting {
		if len(batch) == maxBatchRecords || size > maxBatchBytes {
			break
		}
		taken++
		if record.Withdraw != nil && record.Withdraw(record.failures < a.failures) {
			withdrawn = append(withdrawn, record)
			continue
		}
		batch = append(batch, record)
		size += len(record.Value)
	}
	if a.waiting = a.waiting[taken:]; len(a.waiting) == 0 {
		a.waiting = nil
	}
	a.sending = len(batch)
	a.tellIdle()
	a.mu.Unlock()
	for _, record := range withdrawn {
		record.done(ErrWithdrawn)
	}
	return batch
}

// keep puts what was not appended in front of what came meanwhile.
func (a *Appender) keep(left []*Record, progress bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(left) > 0 {
		a.failures++
		a.waiting = append(left, a.waiting...)
	}
	a.sending = 0
	if progress {
		a.moved = time.Now()
	}
	a.tellIdle()
}

func (a *Appender) tellIdle() {
	if a.idle != nil && len(a.waiting)+a.sending == 0 {
		close(a.idle)
		a.idle = nil
	}
}

// send returns when the outcome of each record is known, with those that are to be sent again, in order.
func (a *Appender) send(ctx context.Context, batch []*Record) (left []*Record, err error) {
	outcomes := make([]error, len(batch))
	sentAt := time.Now()
	for i, record := range batch {
		a.client.Produce(ctx, &kgo.Record{
			Topic: record.Topic, Partition: record.Partition, Key: []byte(record.Key), Value: record.Value,
		}, func(produced *kgo.Record, err error) { record.Offset, outcomes[i] = produced.Offset, err })
	}
	// With an ended context a flush does not wait: the records are failed by their own, which their promises tell.
	_ = a.client.Flush(context.WithoutCancel(ctx))
	for i, record := range batch {
		record.SentAt = sentAt
		switch outcome := outcomes[i]; {
		case outcome == nil:
			record.done(nil)
		case isHopeless(outcome):
			record.done(fmt.Errorf("%s/%d cannot take the record: %w", record.Topic, record.Partition, outcome))
		default:
			left, err = append(left, record), outcome
		}
	}
	return left, err
}

// isHopeless: no repetition helps. (Anything else may pass: a broker away, also a missing right.)
func isHopeless(err error) bool {
	return IsTooLarge(err) || errors.Is(err, kerr.UnknownTopicOrPartition) || errors.Is(err, kerr.UnknownTopicID) ||
		errors.Is(err, kerr.InvalidTopicException) || isNoPartition(err)
}

// IsTooLarge says whether the log cannot take a record because of its size.
func IsTooLarge(err error) bool {
	return errors.Is(err, kerr.MessageTooLarge) || errors.Is(err, kerr.RecordListTooLarge)
}

// isNoPartition: franz-go has no name for it. The topic has fewer partitions than the number chosen.
func isNoPartition(err error) bool {
	return strings.Contains(err.Error(), "invalid record partitioning choice")
}
