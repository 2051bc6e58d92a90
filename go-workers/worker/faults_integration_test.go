package worker_test

import (
	"context"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/kafkatest"
	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
	"github.com/taskflow-hub/taskflow-hub/go-workers/worker"
	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
)

// Short times, so that tests need not wait for long ones: lock 1.5 s, hand-over after 10 s unless said otherwise.
const shortLock = "TASKFLOW_LOCK_RENEW_MS=500"

func TestIntegrationAKilledWorkersTasksRunElsewhere(t *testing.T) {
	f := newFixture(t, kafkatest.Brokers(t))
	victim := f.startProcess("victim")
	gate := newGate(t)
	held := f.many(8, gate.payload("gate"))
	f.submit(held...)
	for _, event := range held {
		f.untilStarted(event.TaskID, 1)
	}
	f.startProcess("heir")
	f.untilTakenBy("heir")
	victim.signal(t, syscall.SIGKILL)
	killed := time.Now()
	for _, event := range held {
		f.untilStarted(event.TaskID, 2)
	}
	t.Logf("8 tasks started elsewhere %v after the kill", time.Since(killed).Round(time.Millisecond))
	gate.open()
	f.report("a worker killed", held)
	for _, event := range held {
		for _, one := range f.of(event.TaskID) {
			if started, ok := one.(*schemas.TaskStarted); ok && started.Starts == 2 && started.Delivery < 2 {
				t.Errorf("the second start: %+v", started)
			}
		}
		if starts := f.startsOf(event.TaskID); !slices.Equal(starts, []string{"victim", "heir"}) {
			t.Errorf("started by %v", starts)
		}
	}
	f.untilSettled()
}

func TestIntegrationWhatIsHandedOverIsTheLogsAndNotTheQueues(t *testing.T) {
	f := newFixture(t, kafkatest.Brokers(t))
	victim := f.startProcess("victim", "TASKFLOW_HAND_OVER_AFTER_MS=300", "TASKFLOW_LEASE_MS=1500", "TASKFLOW_STOP_GRACE_MS=100")
	event := f.queued(newGate(t).payload("gate"))
	f.submit(event)
	kafkatest.Until(t, "it is handed over", func() bool { return f.handedOver(event.TaskID) == 1 })
	f.untilSettled() // the queue has nothing more to do with it
	kafkatest.Until(t, "it says that it lives", func() bool { return f.count(schemas.NameTaskHeartbeat, event.TaskID) >= 3 })
	victim.signal(t, syscall.SIGTERM) // without a grace that suffices it goes back through the log
	kafkatest.Until(t, "it is given back", func() bool { return f.count(schemas.NameTaskRetryScheduled, event.TaskID) == 1 })
	for _, one := range f.of(event.TaskID) {
		if retry, ok := one.(*schemas.TaskRetryScheduled); ok && (retry.Error.Code != "WORKER_STOPPED" || retry.Failures != 0) {
			t.Errorf("it is given back as %+v", retry)
		}
	}
}

func TestIntegrationAFrozenWorkerIsReplacedAndKeepsQuiet(t *testing.T) {
	f := newFixture(t, kafkatest.Brokers(t))
	victim := f.startProcess("victim", shortLock)
	gate := newGate(t)
	fails, succeeds := f.queued(gate.payload("gate-fail")), f.queued(gate.payload("gate"))
	f.submit(fails, succeeds)
	for _, event := range []*schemas.TaskQueued{fails, succeeds} {
		f.untilStarted(event.TaskID, 1)
	}
	victim.signal(t, syscall.SIGSTOP)
	f.startProcess("heir", shortLock)
	for _, event := range []*schemas.TaskQueued{fails, succeeds} {
		f.untilStarted(event.TaskID, 2)
	}
	victim.signal(t, syscall.SIGCONT)
	gate.open()
	for _, event := range []*schemas.TaskQueued{fails, succeeds} {
		f.end(event.TaskID)
		if starts := f.startsOf(event.TaskID); !slices.Equal(starts, []string{"victim", "heir"}) {
			t.Errorf("started by %v", starts)
		}
	}
	victim.signal(t, syscall.SIGTERM)
	<-victim.ended // whatever it had to say is said
	f.untilSettled()
	if ends := f.ends(fails.TaskID); len(ends) != 1 {
		t.Errorf("of the task that fails the log has the ends %v", ends)
	}
	for _, one := range f.of(fails.TaskID) {
		if failed, ok := one.(*schemas.TaskFailed); ok && failed.WorkerID[:4] != "heir" {
			t.Errorf("a zombie ended the task: %+v", failed)
		}
	}
}

func TestIntegrationAHealthyWorkerWhoseConnectionsAreCutKeepsWhatItRuns(t *testing.T) {
	f := newFixture(t, kafkatest.Brokers(t))
	network := kafkatest.NewNetwork()
	f.workOver(network.Dial, map[string]string{"TASKFLOW_WORKER_NAME": "cut"}, f.define(handler))
	gate := newGate(t)
	held := f.many(4, gate.payload("gate"))
	held = append(held, f.queued(gate.payload("gate-fail")))
	f.submit(held...)
	for _, event := range held {
		f.untilStarted(event.TaskID, 1)
	}
	f.startProcess("neighbour")
	f.untilTakenBy("neighbour")
	network.CutAll()
	for _, event := range held {
		kafkatest.Until(t, "it is handed over at once", func() bool { return f.handedOver(event.TaskID) >= 1 })
	}
	f.untilSettled() // whoever was handed the records found the hand-over on the log
	gate.open()
	f.report("connections of a healthy worker cut", held)
	for _, event := range held {
		if starts := f.startsOf(event.TaskID); !slices.Equal(starts, []string{"cut"}) {
			t.Errorf("started by %v", starts)
		}
	}
}

func TestIntegrationWhatHasEndedIsNotRunAgainWhereItsAcceptWasLost(t *testing.T) {
	f := newFixture(t, kafkatest.Brokers(t))
	network := kafkatest.NewNetwork()
	f.workOver(network.Dial, map[string]string{"TASKFLOW_WORKER_NAME": "cut"}, f.define(handler))
	first := f.queued(`{"do":"echo"}`)
	f.submit(first)
	f.end(first.TaskID)
	f.untilSettled()
	gate := newGate(t)
	held := f.queued(gate.payload("gate"))
	f.submit(held)
	f.untilStarted(held.TaskID, 1)
	const shareAcknowledge = 79
	struck := network.Inject(kafkatest.LoseRequest, shareAcknowledge)
	gate.open()
	f.end(held.TaskID)
	<-struck
	f.untilSettled()
	f.report("connection cut between outcome and accept", []*schemas.TaskQueued{held})
	if starts := f.startsOf(held.TaskID); len(starts) != 1 {
		t.Errorf("started by %v", starts)
	}
}

func TestIntegrationABrokerThatRestartsUnderLoad(t *testing.T) {
	broker := kafkatest.StartBroker(t, nil)
	f := newFixture(t, []string{broker.Address})
	f.startProcess("one")
	f.startProcess("two")
	gate := newGate(t)
	held := f.many(6, gate.payload("gate"))
	f.submit(held...)
	for _, event := range held {
		f.untilStarted(event.TaskID, 1)
	}
	before := f.many(400, `{"do":"sleep"}`)
	f.submit(before...)
	f.end(before[20].TaskID)
	broker.Kill()
	broker.Start()
	back := time.Now()
	after := f.many(100, `{"do":"sleep"}`)
	f.submit(after...)
	for _, event := range append(slices.Clone(before), after...) {
		f.end(event.TaskID)
	}
	t.Logf("500 tasks of 50 ms in 10 slots had ended %v after the broker was back", time.Since(back).Round(time.Millisecond))
	for _, event := range held {
		kafkatest.Until(t, "what still runs is handed over", func() bool { return f.handedOver(event.TaskID) >= 1 })
	}
	gate.open()
	f.untilSettled()
	f.report("broker killed under load: what ran on", held)
	f.report("broker killed under load: short tasks before", before)
	f.report("broker killed under load: short tasks after", after)
	for _, event := range append(slices.Clone(held), before...) {
		if starts := f.startsOf(event.TaskID); len(starts) != 1 {
			t.Errorf("task %s was started by %v", event.TaskID, starts)
		}
	}
}

func TestIntegrationATaskThatKillsItsProcessEachTime(t *testing.T) {
	f := newFixture(t, kafkatest.Brokers(t))
	poison := f.queued(`{"do":"die"}`)
	neighbours := f.many(20, `{"do":"sleep"}`)
	f.submit(neighbours[:10]...)
	f.submit(poison)
	f.submit(neighbours[10:]...)
	deaths := 0
	for victim := f.startProcess("w0"); len(f.ends(poison.TaskID)) == 0; {
		kafkatest.Until(t, "the worker is dead, or the poison has ended", func() bool {
			select {
			case <-victim.ended:
				return true
			default:
				return len(f.ends(poison.TaskID)) > 0
			}
		})
		if len(f.ends(poison.TaskID)) == 0 {
			deaths++
			victim = f.startProcess("w" + string(rune('0'+deaths)))
		}
	}
	failed, ok := f.end(poison.TaskID).(*schemas.TaskFailed)
	// The first may die before its start is on the log.
	if !ok || failed.Error.Code != "WORKER_LOST" || len(f.startsOf(poison.TaskID)) != 5 || deaths < 5 || deaths > 6 {
		t.Errorf("after %d deaths and the starts %v it ends with %+v", deaths, f.startsOf(poison.TaskID), f.end(poison.TaskID))
	}
	f.report("neighbours of a poison", neighbours)
	for _, event := range neighbours {
		if _, ok := f.end(event.TaskID).(*schemas.TaskSucceeded); !ok {
			t.Errorf("a neighbour failed: %+v", f.end(event.TaskID))
		}
	}
	f.untilSettled()
}

func TestIntegrationAWorkerThatGetsNoAnswerEnds(t *testing.T) {
	f := newFixture(t, kafkatest.Brokers(t))
	network := kafkatest.NewNetwork()
	c := f.config(nil)
	c.StuckExit = 10 * time.Second // longer than a start takes
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	gate := newGate(t)
	go func() {
		ended <- worker.RunOver(ctx, network.Dial, c, []*task.Definition{f.define(handler)}, kafkatest.Logger())
	}()
	held := f.queued(gate.payload("gate"))
	f.submit(held)
	f.untilStarted(held.TaskID, 1)
	gate.open()
	f.end(held.TaskID)
	f.untilSettled()
	network.Freeze()
	if err := <-ended; err == nil || ctx.Err() != nil {
		t.Errorf("it ended with %v", err)
	}
	network.Heal()
}
