package protocol

import (
	"strings"
	"testing"

	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
)

const me, other = "me.1.aaaa", "other.2.bbbb"

func queuedTask(adjust ...func(*schemas.TaskQueued)) *schemas.TaskQueued {
	queued := &schemas.TaskQueued{
		Head: schemas.Head{TaskID: "t", Attempt: 2, Type: "x", Priority: "low"},
		Task: schemas.Task{Payload: "{}", MaxAttempts: 3, BackoffBaseMs: 1_000, BackoffFactor: 2, BackoffCapMs: 300_000},
	}
	for _, one := range adjust {
		one(queued)
	}
	return queued
}

func headOf(generation, attempt int32, workerID string) schemas.Head {
	return schemas.Head{TaskID: "t", Generation: generation, Attempt: attempt, WorkerID: workerID}
}

func TestFetchOrderSharesRounds(t *testing.T) {
	first := map[string]int{}
	for round := range 42 {
		order := FetchOrder(round)
		first[order[0]]++
		if len(order) != 3 {
			t.Errorf("round %d asks %v", round, order)
		}
	}
	if first["high"] != 32 || first["normal"] != 8 || first["low"] != 2 {
		t.Errorf("in 42 rounds %v came first", first)
	}
}

func TestPlaceOfResult(t *testing.T) {
	for size, place := range map[int64]ResultPlace{0: InEvent, MaxResultBytes: InEvent, MaxResultBytes + 1: InBlob, 1_000_000: InBlob, 1_000_001: Nowhere} {
		if got := PlaceOfResult(size, 1_000_000); got != place {
			t.Errorf("%d bytes go to %d, should to %d", size, got, place)
		}
	}
}

func TestDecideOutcome(t *testing.T) {
	half := 0.5
	stamp := Stamp{Now: 1_000, EventID: "e", WorkerID: me}
	passing, final := &schemas.TaskError{Code: "HTTP_STATUS", Retryable: true}, &schemas.TaskError{Code: "HTTP_STATUS"}
	for name, test := range map[string]struct {
		queued  *schemas.TaskQueued
		failure *schemas.TaskError
		random  *float64
		retryAt int64 // 0: TaskFailed
	}{
		"without an orchestrator":  {queuedTask(), passing, nil, 0},
		"a first failure":          {queuedTask(), passing, &half, 1_500},
		"a second failure":         {queuedTask(func(q *schemas.TaskQueued) { q.Failures = 1 }), passing, &half, 2_000},
		"as many as are allowed":   {queuedTask(func(q *schemas.TaskQueued) { q.Failures = 2 }), passing, &half, 0},
		"not retryable":            {queuedTask(), final, &half, 0},
		"not retryable by request": {queuedTask(func(q *schemas.TaskQueued) { q.Task.NotRetryable = []string{"HTTP_STATUS"} }), passing, &half, 0},
		"the cap":                  {queuedTask(func(q *schemas.TaskQueued) { q.Task.BackoffBaseMs, q.Task.BackoffCapMs = 900_000, 10_000 }), passing, &half, 6_000},
		"at once": {queuedTask(func(q *schemas.TaskQueued) {
			q.Task.BackoffBaseMs, q.Task.BackoffFactor, q.Failures, q.Task.MaxAttempts = 0, 1e300, 5, 9
		}), passing, &half, 1_000},
	} {
		event := DecideOutcome(test.queued, Outcome{Error: test.failure}, OutcomeContext{Stamp: stamp, Retry: test.random})
		retry, again := event.(*schemas.TaskRetryScheduled)
		if again != (test.retryAt > 0) || again && (retry.RetryAt != test.retryAt || retry.Failures != test.queued.Failures+1) {
			t.Errorf("%s: %+v", name, event)
		}
	}
	succeeded := DecideOutcome(queuedTask(), Outcome{Value: "1"}, OutcomeContext{Stamp: stamp, ResultStorage: "mongo"}).(*schemas.TaskSucceeded)
	if *succeeded.Result.Ref != "t.0.2."+me || succeeded.Result.SHA256 != "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b" {
		t.Errorf("the result is %+v", succeeded.Result)
	}
	large := DecideOutcome(queuedTask(), Outcome{Value: strings.Repeat("x", MaxResultBytes+1)}, OutcomeContext{Stamp: stamp}).(*schemas.TaskFailed)
	if large.Error.Code != "RESULT_TOO_LARGE" {
		t.Errorf("too large: %+v", large.Error)
	}
	long := strings.Repeat("x", 20_000)
	bounded := DecideOutcome(queuedTask(), Outcome{Error: &schemas.TaskError{Message: long, Details: &long}}, OutcomeContext{Stamp: stamp}).(*schemas.TaskFailed)
	if len(bounded.Error.Message) != 1_000 || bounded.Error.Details != nil {
		t.Error("an error is not bounded")
	}
}

func TestZombiesMayOnlyReportSuccess(t *testing.T) {
	lease := int64(50)
	for name, test := range map[string]struct {
		hold Hold
		want ReportDecision
	}{
		"held":            {Hold{LockedUntil: 101}, Report},
		"lock passed":     {Hold{LockedUntil: 100}, ReportAfterHandOver},
		"lock lost":       {Hold{LockedUntil: 200, LockLost: true}, ReportAfterHandOver},
		"lease passed":    {Hold{LockedUntil: 200, LeaseUntil: &lease}, Withhold},
		"overtaken":       {Hold{LockedUntil: 200, Overtaken: true}, Withhold},
		"lease goes on":   {Hold{}.HeartbeatAcknowledged(90, 95, Defaults), Report},
		"lease came late": {Hold{LeaseUntil: &lease}.HeartbeatAcknowledged(90, 95, Defaults), Withhold},
	} {
		if got := DecideReport(false, test.hold, 100); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
		if got := DecideReport(true, test.hold, 100); got != Report {
			t.Errorf("%s: a success is %s", name, got)
		}
	}
}

func TestDecideHandOver(t *testing.T) {
	lease := int64(1)
	held := Hold{LockedUntil: 100_000}
	for name, test := range map[string]struct {
		since, highest int64
		hold           Hold
		want           HandOver
	}{
		"young":       {45_000, 10, held, HandOver{}},
		"old":         {40_000, 10, held, HandOver{Reason: "age"}},
		"far behind":  {49_999, 2_510, held, HandOver{Reason: "window"}},
		"lost":        {49_999, 10, Hold{LockedUntil: 100_000, LockLost: true}, HandOver{Reason: "session-lost", LookAfter: true}},
		"passed":      {49_999, 10, Hold{LockedUntil: 50_000}, HandOver{Reason: "lock-passed", LookFirst: true, LookAfter: true}},
		"handed over": {0, 10_000, Hold{LeaseUntil: &lease}, HandOver{}},
	} {
		if got := DecideHandOver(test.since, 10, test.hold, 50_000, test.highest, Defaults); got != test.want {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
	}
}

func TestSuspicionOf(t *testing.T) {
	start := int64(100)
	known := PartitionKnowledge{LeaderEpoch: 4, GroupStart: &start, Highest: 50}
	for name, test := range map[string]struct {
		record DeliveredFacts
		want   Suspicion
	}{
		"a first delivery":        {DeliveredFacts{Offset: 51, LeaderEpoch: 4, Delivery: 1}, Suspicion{}},
		"delivered again":         {DeliveredFacts{Offset: 40, LeaderEpoch: 4, Delivery: 2}, Suspicion{Redelivered: true}},
		"below what was had":      {DeliveredFacts{Offset: 50, LeaderEpoch: 4, Delivery: 1}, Suspicion{Forgotten: true}},
		"of an older leader":      {DeliveredFacts{Offset: 20_099, LeaderEpoch: 3, Delivery: 1}, Suspicion{Forgotten: true}},
		"beyond the older window": {DeliveredFacts{Offset: 20_100, LeaderEpoch: 3, Delivery: 1}, Suspicion{}},
		"asked for":               {DeliveredFacts{Offset: 51, LeaderEpoch: 4, Delivery: 1, Check: true}, Suspicion{Copy: true}},
	} {
		if got := SuspicionOf(test.record, known, Defaults); got != test.want || got.Any() != (test.want != Suspicion{}) {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
	}
}

func TestLookBackFrom(t *testing.T) {
	record := LookBackSubject{AppendedAt: 1_000_000, OccurredAt: 900_000, Delivery: 2}
	old := int64(1_800_000)
	for name, test := range map[string]struct {
		suspicion Suspicion
		known     LookBackKnowledge
		want      int64
	}{
		"a copy":                    {Suspicion{Copy: true}, LookBackKnowledge{Now: 2_000_000}, 900_000 - 300_000},
		"again, asked all the time": {Suspicion{Redelivered: true}, LookBackKnowledge{Now: 2_000_000, UnavailableAt: []int64{1_999_000}}, 1_999_000 - 25_000},
		"again, never asked":        {Suspicion{Redelivered: true}, LookBackKnowledge{Now: 2_000_000}, 1_000_000},
		"forgotten":                 {Suspicion{Forgotten: true}, LookBackKnowledge{Now: 2_000_000, LastEventOfOldLeader: &old}, old - 25_000},
		"forgotten, nothing known":  {Suspicion{Forgotten: true}, LookBackKnowledge{Now: 2_000_000}, 1_000_000},
	} {
		if got := LookBackFrom(record, test.suspicion, test.known, Defaults); got != test.want-2_000 {
			t.Errorf("%s: from %d, want %d", name, got, test.want-2_000)
		}
	}
}

func TestFindingsSettle(t *testing.T) {
	record := CheckedRecord{Queued: queuedTask(), Offset: 7}
	handOver := &schemas.TaskHeartbeat{Head: headOf(0, 2, other), Task: &schemas.Task{}}
	for name, test := range map[string]struct {
		events []schemas.Event
		want   Settled
	}{
		"another task":              {[]schemas.Event{&schemas.TaskFailed{Head: schemas.Head{TaskID: "u", Attempt: 2}}}, ""},
		"an older generation":       {[]schemas.Event{&schemas.TaskFailed{Head: headOf(-1, 9, other)}}, ""},
		"an end of another attempt": {[]schemas.Event{&schemas.TaskSucceeded{Head: headOf(0, 1, other)}}, "ended"},
		"a retry":                   {[]schemas.Event{&schemas.TaskRetryScheduled{Head: headOf(0, 2, other)}}, "retry-scheduled"},
		"an older retry":            {[]schemas.Event{&schemas.TaskRetryScheduled{Head: headOf(0, 1, other)}}, ""},
		"a hand-over":               {[]schemas.Event{handOver}, "handed-over"},
		"a plain heartbeat":         {[]schemas.Event{&schemas.TaskHeartbeat{Head: headOf(0, 2, other)}}, ""},
		"a later attempt":           {[]schemas.Event{&schemas.TaskStarted{Head: headOf(0, 3, other)}}, "superseded"},
		"a later generation":        {[]schemas.Event{&schemas.TaskStarted{Head: headOf(1, 1, other)}}, "superseded"},
		"its own start":             {[]schemas.Event{&schemas.TaskStarted{Head: headOf(0, 2, other), QueueOffset: 7, Starts: 1}}, ""},
		"the start of a copy":       {[]schemas.Event{&schemas.TaskStarted{Head: headOf(0, 2, other), QueueOffset: 6, Starts: 1}}, "copy"},
	} {
		var findings Findings
		for offset, event := range test.events {
			findings.Add(record, event, int64(offset))
		}
		if findings.Settled != test.want {
			t.Errorf("%s: %q, want %q", name, findings.Settled, test.want)
		}
	}
	var findings Findings
	for offset, starts := range []int32{2, 1} {
		findings.Add(record, &schemas.TaskStarted{Head: headOf(0, 2, other), QueueOffset: 7, Starts: starts}, int64(offset))
	}
	if *findings.LastStart != (FoundStart{other, 2, 1}) {
		t.Errorf("the last start is %+v", findings.LastStart)
	}
}

func TestDecideDelivered(t *testing.T) {
	started := func(workerID string, starts int32) Findings {
		return Findings{LastStart: &FoundStart{workerID, starts, 10}}
	}
	context := func(adjust ...func(*CheckContext)) CheckContext {
		c := CheckContext{WorkerID: me, Takeover: "at-once", Delivery: 2, EventsEndAtSession: 100, Looks: 2}
		for _, one := range adjust {
			one(&c)
		}
		return c
	}
	forgotten := func(c *CheckContext) { c.Forgotten = true }
	for name, test := range map[string]struct {
		findings Findings
		context  CheckContext
		want     CheckDecision
	}{
		"settled":                 {Findings{Settled: "ended"}, context(), CheckDecision{Action: Accept, Because: "ended"}},
		"the first look":          {Findings{}, context(func(c *CheckContext) { c.Looks = 1 }), CheckDecision{Action: LookAgain, AfterMs: 500}},
		"the first, forgotten":    {Findings{}, context(forgotten, func(c *CheckContext) { c.Looks = 1 }), CheckDecision{Action: LookAgain, AfterMs: 2_000}},
		"never started":           {Findings{}, context(), CheckDecision{Action: Run, Starts: 1}},
		"its worker is gone":      {started(other, 1), context(), CheckDecision{Action: Run, Starts: 2}},
		"it may be poison":        {started(other, 2), context(), CheckDecision{Action: Run, Starts: 3, Alone: true}},
		"recovered twice":         {Findings{}, context(func(c *CheckContext) { c.Recoveries = 2 }), CheckDecision{Action: Run, Starts: 1, Alone: true}},
		"it is poison":            {started(other, 5), context(), CheckDecision{Action: Fail}},
		"near the limit":          {started(other, 1), context(func(c *CheckContext) { c.Delivery = 8 }), CheckDecision{Action: GiveBack}},
		"no second run":           {started(other, 1), context(func(c *CheckContext) { c.Takeover = "after-lease" }), CheckDecision{Action: HandOverForStarter, Starter: other}},
		"presumed alive":          {started(other, 1), context(forgotten), CheckDecision{Action: HandOverForStarter, Starter: other}},
		"started by this one":     {started(me, 1), context(forgotten), CheckDecision{Action: Run, Starts: 2}},
		"under the present one":   {started(other, 1), context(forgotten, func(c *CheckContext) { c.EventsEndAtSession = 10 }), CheckDecision{Action: Run, Starts: 2}},
		"not found for one lease": {started(other, 1), context(forgotten, func(c *CheckContext) { c.SessionAgeMs = 30_000 }), CheckDecision{Action: Run, Starts: 2}},
	} {
		if got := DecideDelivered(test.findings, test.context, Defaults); got != test.want {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
	}
	if got := DecideClaim(Findings{}, false); got.Action != Drop {
		t.Errorf("a claim without a lock: %+v", got)
	}
}

func TestIsOvertakenBy(t *testing.T) {
	run := headOf(0, 2, me)
	for name, test := range map[string]struct {
		event schemas.Event
		want  bool
	}{
		"its own start":                {&schemas.TaskStarted{Head: headOf(0, 2, me)}, false},
		"another's start":              {&schemas.TaskStarted{Head: headOf(0, 2, other)}, true},
		"a hand-over in its name":      {&schemas.TaskHeartbeat{Head: headOf(0, 2, me), Task: &schemas.Task{}}, false},
		"an end":                       {&schemas.TaskCancelled{Head: headOf(0, 1, "")}, true},
		"a retry":                      {&schemas.TaskRetryScheduled{Head: headOf(0, 2, me)}, true},
		"what an older attempt has to": {&schemas.TaskRetryScheduled{Head: headOf(0, 1, me)}, false},
		"a redrive":                    {&schemas.TaskStarted{Head: headOf(1, 1, me)}, true},
	} {
		if got := IsOvertakenBy(test.event, run, me); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestControl(t *testing.T) {
	control := NewControl()
	control.Apply("t", &schemas.TaskCancelRequested{TaskID: "t", Generation: 1})
	control.Apply("t", &schemas.TaskCancelRequested{TaskID: "t", Generation: 0})
	control.Apply("x", &schemas.TypePaused{Type: "x"})
	old, redriven := headOf(1, 4, ""), headOf(2, 1, "")
	if !control.IsCancelled(&old) || control.IsCancelled(&redriven) || !control.IsPaused("x") {
		t.Error("signals are not kept")
	}
	control.Apply("t", nil)
	control.Apply("x", &schemas.TypeResumed{Type: "x"})
	if control.IsCancelled(&old) || control.IsPaused("x") {
		t.Error("signals are not removed")
	}
}

func TestExpiredAndStop(t *testing.T) {
	at := int64(1_700_000_000_000)
	queued := &schemas.TaskQueued{Head: schemas.Head{Attempt: 1}, Task: schemas.Task{ExpiresAt: &at}}
	if failure := Expired(queued, 1, at); failure == nil || failure.Message != "Not started by 2023-11-14T22:13:20.000Z, its expiresAt" {
		t.Errorf("the failure is %+v", failure)
	}
	if DecideStop(false, true) != StopRelease || DecideStop(true, true) != StopGiveBack || DecideStop(true, false) != StopLeave {
		t.Error("what a stop does is wrong")
	}
}

func TestWhatCameWithinTheMomentIsReadAtOnceWhereTheFirstLookOutlastedIt(t *testing.T) {
	context := CheckContext{Looks: 1, Delivery: 2, HeldMs: Defaults.LookAgainMs + 200}
	if got := DecideDelivered(Findings{}, context, Defaults); got != (CheckDecision{Action: LookAgain}) {
		t.Errorf("decided %+v", got)
	}
	context.Looks = 2
	if got := DecideDelivered(Findings{}, context, Defaults); got.Action != Run {
		t.Errorf("decided %+v", got)
	}
}
