package protocol

// A Hold is what a worker knows about its hold on a run: the broker's lock at first, the lease on the log once it is handed over.
// Times are of the worker's own monotonic clock, in milliseconds, counted from before the request left: the hold lasts at least
// so long.
type Hold struct {
	LockedUntil int64 `json:"lockedUntil"`
	// LockLost: the session is lost, or the broker said so when the lock was to be renewed.
	LockLost bool `json:"lockLost"`
	// LeaseUntil since the hand-over was acknowledged; nil before.
	LeaseUntil *int64 `json:"leaseUntil"`
	// Overtaken: somebody else has the run, or may have. Never false again.
	Overtaken bool `json:"overtaken"`
}

// HeartbeatAcknowledged: one that left at sentAt is on the log. One that comes after the lease has passed does not restore it.
func (hold Hold) HeartbeatAcknowledged(sentAt, now int64, values Values) Hold {
	passed := hold.LeaseUntil != nil && *hold.LeaseUntil <= now
	until := sentAt + values.LeaseMs
	hold.LeaseUntil, hold.Overtaken = &until, hold.Overtaken || passed
	return hold
}

// IsHeld says whether nobody else can have the run.
func (hold Hold) IsHeld(now int64) bool {
	switch {
	case hold.Overtaken:
		return false
	case hold.LeaseUntil == nil:
		return !hold.LockLost && now < hold.LockedUntil
	}
	return now < *hold.LeaseUntil
}

// What a run may say of its end.
type ReportDecision string

// Report: write it. ReportAfterHandOver: the lock may have passed, but the run can still be claimed: hand it over as if it ran on
// (DecideHandOver), and ask again. Withhold: drop it and don't accept; whoever has the run now, or the end of its lease, decides.
const (
	Report              ReportDecision = "report"
	ReportAfterHandOver ReportDecision = "after-hand-over"
	Withhold            ReportDecision = "withhold"
)

// DecideReport is the zombie rule: a run whose lock or lease may have passed may still report success, but neither failure nor
// retry, which would end, or queue again, what someone else runs by now.
func DecideReport(success bool, hold Hold, now int64) ReportDecision {
	switch {
	case success || hold.IsHeld(now):
		return Report
	case hold.Overtaken || hold.LeaseUntil != nil:
		return Withhold
	}
	return ReportAfterHandOver
}

// IsRenewalDue: locks are renewed while the run is not handed over; also while it waits for its check, or to run alone.
func (hold Hold) IsRenewalDue(renewedAt, now int64, values Values) bool {
	return hold.LeaseUntil == nil && !hold.LockLost && now-renewedAt >= values.RenewEveryMs
}

// IsHeartbeatDue: a run that is handed over writes a heartbeat each third of the lease, from the last that it wrote, the hand-over
// included.
func (hold Hold) IsHeartbeatDue(writtenAt, now int64, values Values) bool {
	return hold.LeaseUntil != nil && 3*(now-writtenAt) >= values.LeaseMs
}
