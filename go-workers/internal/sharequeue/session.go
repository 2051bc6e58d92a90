package sharequeue

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
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

	mu          sync.Mutex
	known       map[partitionID]*sharePartition // ever fetched from, also given up ones whose records are not settled yet
	wanted      map[partitionID]bool
	pausedUntil map[partitionID]time.Time
	renewals    renewals
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
	send := record.hold.owner.settle(record, kind)
	s.mu.Unlock()
	if send {
		s.wakeUp()
	}
}

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

// run sends one request after the other, as long as there is something to ask for or to say.
func (s *session) run() {
	defer close(s.done)
	for s.ctx.Err() == nil {
		step := s.nextStep()
		if step == nil {
			if s.finished() {
				break
			}
			s.waitForWork()
			continue
		}
		if err := step(); err != nil && s.ctx.Err() == nil {
			s.fail(err)
		}
		if s.settledAll() {
			s.queue.changed()
		}
	}
	s.end()
}

// nextStep decides what to do now; nil: nothing.
func (s *session) nextStep() func() error {
	if s.conn != nil {
		select {
		case <-s.conn.ended:
			return func() error { return errConnectionEnded }
		default:
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	waiting, alone := s.waiting(time.Now())
	switch {
	case s.epoch != openingEpoch && len(s.renewals.parts) > 0:
		return s.sendRenewals
	case len(waiting) > 0 && (s.pending == nil || alone):
		return func() error { return s.sendAcknowledgements(waiting) }
	case s.pending != nil:
		asked := s.pending
		return func() error { return s.fetch(asked, waiting) }
	}
	return nil
}

// waiting gives the partitions with something to acknowledge, and whether that should not ride on a fetch: halves of what was
// refused should not wait for a long poll, and a fetch would take a partition given up into the session.
func (s *session) waiting(now time.Time) (waiting []*sharePartition, alone bool) {
	if s.epoch == openingEpoch || s.ackAt.After(now) {
		return nil, false
	}
	for id, partition := range s.known {
		if partition.hasWaiting() {
			waiting = append(waiting, partition)
			alone = alone || len(partition.suspects) > 0 || !s.wanted[id]
		}
	}
	return waiting, alone
}

// active gives the partitions to fetch from now.
func (s *session) active(now time.Time) []partitionID {
	var active []partitionID
	for id := range s.wanted {
		if !s.pausedUntil[id].After(now) {
			active = append(active, id)
		}
	}
	return active
}

func (s *session) allSettled() bool {
	for _, partition := range s.known {
		if !partition.settledAll() {
			return false
		}
	}
	return true
}

// waitForWork returns when there may be something to do: at a wake-up, when the connection ends, or when a pause is over.
func (s *session) waitForWork() {
	var ended chan struct{}
	if s.conn != nil {
		ended = s.conn.ended
	}
	timer := time.NewTimer(s.untilNextPauseEnds())
	defer timer.Stop()
	select {
	case <-s.wake:
	case <-ended:
	case <-s.ctx.Done():
	case <-timer.C:
		s.queue.changed()
	}
}

func (s *session) untilNextPauseEnds() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	wait := time.Hour
	see := func(at time.Time) {
		if left := at.Sub(now); left > 0 {
			wait = min(wait, left)
		}
	}
	see(s.resumeAt)
	see(s.ackAt)
	for _, at := range s.pausedUntil {
		see(at)
	}
	return wait
}

func (s *session) finished() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing && (s.allSettled() || s.epoch == openingEpoch)
}

// end closes the session, which frees what it still holds.
func (s *session) end() {
	if s.conn != nil {
		if s.epoch != openingEpoch && s.ctx.Err() == nil {
			_, _ = s.acknowledge(closingEpoch, nil, false)
		}
		s.conn.close()
	}
	s.lose(s.takePending())
}

func (s *session) takePending() *poll {
	s.mu.Lock()
	defer s.mu.Unlock()
	pending := s.pending
	s.pending = nil
	return pending
}

func (s *session) answer(records []*Delivered) {
	if pending := s.takePending(); pending != nil {
		pending.answer <- records
	}
}

func (s *session) fetch(asked *poll, waiting []*sharePartition) error {
	s.mu.Lock()
	active := s.active(time.Now())
	s.mu.Unlock()
	if len(active) == 0 {
		s.answer(nil)
		return nil
	}
	if err := s.connect(); err != nil {
		return err
	}
	if s.epoch == openingEpoch && s.mayHoldLocks {
		if err := s.giveUpLocks(active); err != nil {
			return err
		}
	}
	added, forgotten := s.changes(active)
	sentAt := monotonic()
	s.mayHoldLocks = true
	response, err := s.shareFetch(asked.maxRecords, asked.maxWait, added, forgotten, waiting)
	if err != nil {
		return err
	}
	if len(added) > 0 {
		if err := s.begin(added); err != nil {
			return err
		}
	}
	for _, partition := range waiting {
		s.acknowledged(partition, fetchAnswer(response, partition.id).AcknowledgeErrorCode)
	}
	records := s.received(response, sentAt+int64(response.AcquisitionLockTimeoutMillis)*int64(time.Millisecond))
	s.mu.Lock()
	s.lastFetchAt = time.Now()
	s.mu.Unlock()
	s.failures = 0
	s.answer(records)
	return nil
}

func (s *session) connect() error {
	if s.conn != nil {
		return nil
	}
	address, err := s.queue.brokers.address(s.ctx, s.brokerID)
	if err != nil {
		return err
	}
	s.conn, err = openConnection(s.queue.config.Options, s.queue.config.Dial, address, s.queue.config.AnswerTimeout)
	return err
}

// changes gives what a fetch must say so that the session holds just the partitions wanted.
func (s *session) changes(active []partitionID) (added, forgotten []partitionID) {
	wanted := map[partitionID]bool{}
	for _, id := range active {
		wanted[id] = true
		if !s.members[id] {
			added = append(added, id)
		}
	}
	for id := range s.members {
		if !wanted[id] {
			forgotten = append(forgotten, id)
		}
	}
	return added, forgotten
}

func (s *session) giveUpLocks(active []partitionID) error {
	if _, err := s.shareFetch(0, 0, active, nil, nil); err != nil {
		return err
	}
	if _, err := s.acknowledge(closingEpoch, nil, false); err != nil {
		return err
	}
	s.reset()
	return nil
}

// begin begins the hold on partitions that have joined the session, with the epoch that their leader itself states.
func (s *session) begin(added []partitionID) error {
	epochs, err := s.queue.brokers.leaderEpochs(s.ctx, s.brokerID, s.queue.config.Topic)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range added {
		partition := s.known[id]
		if partition == nil {
			partition = &sharePartition{id: id, session: s, counts: &s.queue.counts}
			s.known[id] = partition
		}
		epoch, known := epochs[id.partition]
		if !known {
			epoch = -1
		}
		partition.begin(s.queue.config.Topic, s.brokerID, epoch)
	}
	return nil
}

func (s *session) received(response *kmsg.ShareFetchResponse, lockedUntil int64) []*Delivered {
	var all []*Delivered
	for _, topic := range response.Topics {
		for i := range topic.Partitions {
			answer := &topic.Partitions[i]
			s.mu.Lock()
			partition := s.known[partitionID{topic.TopicID, answer.Partition}]
			s.mu.Unlock()
			if partition == nil || partition.hold == nil {
				continue
			}
			if err := kerr.ErrorForCode(answer.ErrorCode); err != nil {
				s.partitionFailed(partition, err, answer.ErrorMessage)
				continue
			}
			if len(answer.AcquiredRecords) == 0 {
				continue
			}
			taken := acquiredRecords(answer.Records, answer.AcquiredRecords, partition.hold, lockedUntil)
			s.mu.Lock()
			partition.received(taken)
			s.mu.Unlock()
			all = append(all, taken.records...)
			if taken.unreadable != nil {
				s.queue.logger.Error("a record batch of a queue cannot be read", "partition", answer.Partition, "error", taken.unreadable)
			}
		}
	}
	return all
}

func (s *session) sendAcknowledgements(waiting []*sharePartition) error {
	response, err := s.acknowledge(s.epoch, s.taken(waiting), false)
	if err != nil {
		return err
	}
	for _, partition := range waiting {
		s.acknowledged(partition, acknowledgeAnswer(response, partition.id).ErrorCode)
	}
	return nil
}

func (s *session) taken(waiting []*sharePartition) []partitionAcks {
	s.mu.Lock()
	defer s.mu.Unlock()
	acks := make([]partitionAcks, len(waiting))
	for i, partition := range waiting {
		acks[i] = partitionAcks{partition.id, partition.take()}
	}
	return acks
}

func (s *session) acknowledged(partition *sharePartition, code int16) {
	err := kerr.ErrorForCode(code)
	invalid := isAny(err, kerr.InvalidRecordState)
	if err != nil && !invalid && faultOfPartition(err).lost {
		s.partitionFailed(partition, err, nil)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		partition.answered(ackDone)
		s.ackFailures = 0
	case invalid:
		partition.answered(ackInvalidState)
		s.ackFailures = 0
	default:
		partition.answered(ackAgain)
		s.lastError = fmt.Errorf("acknowledgements of partition %d: %w", partition.id.partition, err)
		s.queue.logger.Warn("acknowledgements were not taken, sending them again", "error", s.lastError)
		s.ackFailures++
		s.ackAt = time.Now().Add(20*time.Millisecond + backoff(s.ackFailures))
	}
}

func (s *session) sendRenewals() error {
	s.mu.Lock()
	parts := s.renewals.take()
	s.mu.Unlock()
	acks := make([]partitionAcks, len(parts))
	for i, part := range parts {
		acks[i] = partitionAcks{part.partition.id, part.ranges()}
	}
	sentAt := monotonic()
	response, err := s.acknowledge(s.epoch, acks, true)
	if err != nil {
		s.mu.Lock()
		lose(parts)
		s.mu.Unlock()
		return err
	}
	lockedUntil := sentAt + int64(response.AcquisitionLockTimeoutMillis)*int64(time.Millisecond)
	for _, part := range parts {
		outcome := ackDone
		if err := kerr.ErrorForCode(acknowledgeAnswer(response, part.partition.id).ErrorCode); err != nil {
			outcome = ackAgain // its lock runs on as it was
			if isAny(err, kerr.InvalidRecordState) {
				outcome = ackInvalidState
			} else if faultOfPartition(err).lost {
				s.partitionFailed(part.partition, err, nil)
			}
		}
		s.mu.Lock()
		s.renewals.answered(part, outcome, lockedUntil)
		s.mu.Unlock()
	}
	return nil
}

// partitionFailed leaves a partition out for a while: a session that has it would be answered at once, again and again.
func (s *session) partitionFailed(partition *sharePartition, cause error, detail *string) {
	fault := faultOfPartition(cause)
	err := fmt.Errorf("queue %s/%d: %w", s.queue.config.Topic, partition.id.partition, cause)
	if detail != nil {
		err = fmt.Errorf("%w: %s", err, *detail)
	}
	s.queue.logger.Warn("a partition of a queue is not served at present", "error", err)
	s.mu.Lock()
	s.lastError = err
	s.pausedUntil[partition.id] = time.Now().Add(jittered(fault.pause))
	var hold *Hold
	if fault.lost {
		delete(s.known, partition.id)
		hold = partition.lose()
	}
	s.mu.Unlock()
	if !fault.lost {
		return
	}
	if _, member := s.members[partition.id]; member {
		// Asked for like a new one, or else forgotten. Without this the next fetch would begin no hold on it, and its records would
		// be locked and never seen.
		s.members[partition.id] = false
	}
	if hold != nil {
		s.queue.lost([]*Hold{hold}, err)
	}
	s.queue.replan()
}

// fail: whatever went wrong, the session is over.
func (s *session) fail(cause error) {
	fault := faultOfSession(cause)
	if s.conn != nil {
		select {
		case <-s.conn.ended:
			fault.keepConnection = false
		default:
		}
		if !fault.keepConnection {
			s.conn.close()
			s.conn = nil
		}
	}
	s.failures++
	level := slog.LevelDebug
	if s.failures == 1 {
		level = slog.LevelWarn
	}
	s.queue.logger.Log(s.ctx, level, "a share session ended, opening a new one",
		"broker", s.brokerID, "error", cause, "failures", s.failures)
	s.mu.Lock()
	s.lastError = cause
	s.resumeAt = time.Now().Add(jittered(fault.pause) + backoff(s.failures))
	s.mu.Unlock()
	lost := s.lose(s.takePending())
	if len(lost) > 0 {
		s.queue.lost(lost, cause)
	}
	s.queue.replan()
}

func (s *session) lose(pending *poll) []*Hold {
	s.reset()
	s.mu.Lock()
	var lost []*Hold
	for _, partition := range s.known {
		if hold := partition.lose(); hold != nil {
			lost = append(lost, hold)
		}
	}
	clear(s.known)
	lose(s.renewals.parts)
	s.renewals.parts = nil
	s.mu.Unlock()
	if pending != nil {
		pending.answer <- nil
	}
	s.queue.changed()
	return lost
}

// reset: the session is gone, the next request opens a new one.
func (s *session) reset() {
	s.mu.Lock()
	s.epoch = openingEpoch
	s.mu.Unlock()
	clear(s.members)
}

// succeeded: a request with the present epoch was answered without an error for the whole.
func (s *session) succeeded(added, forgotten []partitionID) {
	for _, id := range forgotten {
		delete(s.members, id)
	}
	for _, id := range added {
		s.members[id] = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.epoch == lastEpoch {
		s.epoch = openingEpoch
	}
	s.epoch++
}
