package protocol

// A CheckContext is what a delivered record is judged with beside the findings.
type CheckContext struct {
	// WorkerID is this process.
	WorkerID string `json:"workerId"`
	// Takeover is what a type declares: whether its effects bear a second run (at-once) or not (after-lease).
	Takeover string `json:"takeover"`
	Delivery int32  `json:"delivery"`
	// Recoveries of the TaskQueued.
	Recoveries int32 `json:"recoveries"`
	// Forgotten: the broker may have forgotten that it handed the record out.
	Forgotten bool `json:"forgotten"`
	// LeaderIsNew: it has forgotten because the partition's leader is new: every worker that lives has had the session's age to hand over.
	LeaderIsNew bool `json:"leaderIsNew"`
	// Copy: another copy of the record may be on the log.
	Copy bool `json:"copy"`
	// EventsEndAtSession is the end of the task's events partition, as asked when the session with the present leader was open: a
	// start behind it was locked by this leader.
	EventsEndAtSession int64 `json:"eventsEndAtSession"`
	// SessionAgeMs is how long this worker has had that session.
	SessionAgeMs int64 `json:"sessionAgeMs"`
	// HeldMs is how long ago the record came: so long a living worker has had to hand it over already.
	HeldMs int64 `json:"heldMs"`
	// Looks is how often the log has been read for this delivery, this time included.
	Looks int32 `json:"looks"`
}

// An Action is what to do with a record that may have run before.
type Action string

const (
	// Accept: settled already, don't run.
	Accept Action = "accept"
	// LookAgain: read what the log got meanwhile, after so long, and decide again.
	LookAgain Action = "look-again"
	// HandOverForStarter: append a hand-over in the name of the worker that started it, and accept once it is acknowledged.
	HandOverForStarter Action = "hand-over"
	// Run: append TaskStarted with Starts; once it is acknowledged ask DecideClaim, and then run.
	Run Action = "run"
	// Fail: append WorkerLost, then accept.
	Fail Action = "fail"
	// GiveBack: append WorkerStopped, then accept; the next attempt has a record with deliveries to spare.
	GiveBack Action = "give-back"
	// Drop: the lock may have passed meanwhile, neither run nor accept. The record comes again, to whomever.
	Drop Action = "drop"
)

// A CheckDecision is an action with what it needs.
type CheckDecision struct {
	Action  Action  `json:"action"`
	Because Settled `json:"because,omitempty"`
	AfterMs int64   `json:"afterMs,omitempty"`
	Starter string  `json:"starter,omitempty"`
	Starts  int32   `json:"starts,omitempty"`
	Alone   bool    `json:"alone,omitempty"`
}

// DecideDelivered says what becomes of a record that may have run before, from what its events partition says.
func DecideDelivered(findings Findings, context CheckContext, values Values) CheckDecision {
	if findings.Settled != "" {
		return CheckDecision{Action: Accept, Because: findings.Settled}
	}
	if context.Looks < 2 {
		if after, waits := stillToWait(context, values); waits {
			return CheckDecision{Action: LookAgain, AfterMs: after}
		}
	}
	last := findings.LastStart
	if last != nil && (context.Takeover == "after-lease" || isPresumedAlive(last, context, values)) {
		return CheckDecision{Action: HandOverForStarter, Starter: last.WorkerID}
	}
	starts := int32(1)
	if last != nil {
		starts = last.Starts + 1
	}
	switch {
	case starts > values.MaxStarts:
		return CheckDecision{Action: Fail}
	case context.Delivery >= values.GiveBackAtDelivery:
		return CheckDecision{Action: GiveBack}
	}
	return CheckDecision{Action: Run, Starts: starts, Alone: starts+context.Recoveries >= values.AloneFromStart}
}

// stillToWait is how long a living worker is still given to hand the record over; false if it has had its time before the log was
// read. It has it from the moment at which the record came: where the first look took as long (a backlog full of events), the second
// one follows at once. After a new leader came the time counts from the session with it: a backlog of thousands of records, all of
// them perhaps handed out before, would otherwise wait record by record.
func stillToWait(context CheckContext, values Values) (int64, bool) {
	var forgotten, other int64
	if context.Forgotten {
		forgotten = values.LookAgainAfterForgottenMs
		if context.LeaderIsNew {
			forgotten -= context.SessionAgeMs
		}
	}
	if !context.Forgotten || context.Copy || context.Delivery > 1 {
		other = values.LookAgainMs
	}
	waits := forgotten > 0 || other > 0
	if !context.LeaderIsNew {
		forgotten -= context.HeldMs
	}
	return max(forgotten, other-context.HeldMs, 0), waits
}

// isPresumedAlive: the worker that started it may be well and only has not handed over yet, because the broker has forgotten its
// lock. Not if that worker is this one, which knows what it runs; nor if the start came under the present leader, which does not
// forget; nor once this leader has been there for a lease, in which whoever lives has found it.
func isPresumedAlive(last *FoundStart, context CheckContext, values Values) bool {
	return context.Forgotten && last.WorkerID != context.WorkerID &&
		last.Offset < context.EventsEndAtSession && context.SessionAgeMs < values.LeaseMs
}

// DecideClaim is asked once the TaskStarted of a checked record is acknowledged, with the log read up to that start: what came to
// the log between the last look and the start decides. A hand-over before the start is seen here, and a hand-over behind it sees
// the start: of two workers one gives way, however long their events were under way.
func DecideClaim(findings Findings, lockHolds bool) CheckDecision {
	switch {
	case findings.Settled != "":
		return CheckDecision{Action: Accept, Because: findings.Settled}
	case lockHolds:
		return CheckDecision{Action: Run}
	}
	return CheckDecision{Action: Drop}
}
