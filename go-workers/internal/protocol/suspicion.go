package protocol

// DeliveredFacts are a record as the broker handed it out.
type DeliveredFacts struct {
	Offset      int64 `json:"offset"`
	LeaderEpoch int32 `json:"leaderEpoch"`
	// Delivery is how often the broker has handed it out, this time included.
	Delivery int32 `json:"delivery"`
	// Check of the TaskQueued in it.
	Check bool `json:"check"`
}

// PartitionKnowledge is what a worker knew of the partition when the record came.
type PartitionKnowledge struct {
	// LeaderEpoch of the leader that handed the record out.
	LeaderEpoch int32 `json:"leaderEpoch"`
	// GroupStart is the group's start offset, as asked when the session with that leader was open; nil where nobody could say.
	GroupStart *int64 `json:"groupStart"`
	// Highest is the highest offset that this worker had had from the partition before; -1 where none.
	Highest int64 `json:"highest"`
}

// A Suspicion is why a record may have run before.
type Suspicion struct {
	// Redelivered: the broker counts an earlier delivery.
	Redelivered bool `json:"redelivered"`
	// Forgotten: the broker may have forgotten that it handed it out, so that whoever holds it may be well.
	Forgotten bool `json:"forgotten"`
	// Copy: its writer said that another copy may be on the log, or it recovers a lost run.
	Copy bool `json:"copy"`
}

// Any says whether there is a reason at all.
func (s Suspicion) Any() bool { return s.Redelivered || s.Forgotten || s.Copy }

// SuspicionOf says which records must be checked against the log before their handlers start; all others are first deliveries
// for certain.
//
// A broker that restarts forgets its locks and delivery counts, and a restart raises the leader epoch: what is of an older epoch
// was perhaps handed out then, if it lay within the window of locks. The group's start offset that can be asked for is
// stored one change late, by a window at most: so two windows are counted from it. Without a new leader, first deliveries
// only ascend: one below an offset already had tells that counts were forgotten, too.
func SuspicionOf(record DeliveredFacts, known PartitionKnowledge, values Values) Suspicion {
	redelivered := record.Delivery > 1
	olderLeader := record.LeaderEpoch < known.LeaderEpoch &&
		(known.GroupStart == nil || record.Offset < *known.GroupStart+2*values.MaxRecordLocks)
	return Suspicion{
		Redelivered: redelivered,
		Forgotten:   olderLeader || !redelivered && record.Offset <= known.Highest,
		Copy:        record.Check,
	}
}
