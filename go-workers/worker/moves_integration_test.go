package worker_test

import (
	"sync"
	"testing"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/kafkatest"
	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
)

func TestIntegrationLeadersAndCoordinatorsThatMoveUnderLoad(t *testing.T) {
	pair := kafkatest.StartPair(t, kafkatest.ReplicatedCoordinators)
	f := newFixture(t, []string{pair.First.Address})
	topics := append([]string{schemas.QueueTopic(f.taskType, "normal"), schemas.EventsTopic(f.taskType, "normal")}, kafkatest.CoordinatorTopics...)
	const lock = 6 * time.Second
	f.startProcess("one", "TASKFLOW_LOCK_RENEW_MS=2000")
	f.startProcess("two", "TASKFLOW_LOCK_RENEW_MS=2000")
	f.untilTakenBy("one")
	f.untilTakenBy("two")
	gate := newGate(t)
	held := f.many(6, gate.payload("gate"))
	f.submit(held...)
	for _, event := range held {
		f.untilStarted(event.TaskID, 1)
	}

	var short []*schemas.TaskQueued
	// One move at a time: whose start is on the log when the next one takes its lock waits for the end of a lease, and for an orchestrator.
	under := func(move func()) {
		before, after := f.many(100, `{"do":"sleep"}`), f.many(40, `{"do":"sleep"}`)
		f.submit(before...)
		f.end(before[10].TaskID)
		move()
		f.submit(after...)
		for _, event := range append(before, after...) {
			f.end(event.TaskID)
			short = append(short, event)
		}
	}
	place := func(brokers ...int32) func() {
		return func() {
			var placing sync.WaitGroup
			for _, topic := range topics {
				placing.Go(func() { kafkatest.Place(t, f.client, topic, brokers...) })
			}
			placing.Wait()
		}
	}
	// A broker that leads again while locks of its earlier time run on forgets those that it has granted since (docs/decisions/0150).
	untilForgotten := func() {
		moved := time.Now()
		kafkatest.Until(t, "the locks that the leader before had granted have passed", func() bool { return time.Since(moved) > lock })
	}
	under(place(2, 1))
	for _, event := range held {
		kafkatest.Until(t, "what still runs is handed over", func() bool { return f.handedOver(event.TaskID) >= 1 })
	}
	untilForgotten()
	under(pair.Second.Stop)
	under(pair.Second.Start)
	under(place(2, 1))
	untilForgotten()
	under(pair.Second.Kill)
	pair.Second.Start()
	f.untilSettled()
	gate.open()
	f.report("leaders and coordinators moved: what ran on", held)
	f.report("leaders and coordinators moved: short tasks", short)
	for _, event := range append(held, short...) {
		if starts := f.startsOf(event.TaskID); len(starts) != 1 {
			t.Errorf("task %s was started by %v", event.TaskID, starts)
		}
	}
}
