package worker_test

import (
	"testing"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/kafkatest"
	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
)

// The API keys of requests.
const (
	produceKey    = 0
	heartbeatKey  = 76
	shareFetchKey = 78
)

func TestIntegrationAnIdleWorkerWhoseConnectionsTheBrokerCloses(t *testing.T) {
	// One second of idleness is ten minutes' worth.
	broker := kafkatest.StartBroker(t, kafkatest.Properties{"connections.max.idle.ms": 1_000})
	f := newFixture(t, []string{broker.Address})
	network := kafkatest.NewNetwork()
	f.workOver(network.Dial, map[string]string{"TASKFLOW_HAND_OVER_AFTER_MS": "300", "TASKFLOW_LEASE_MS": "1500"}, f.define(handler))
	all := f.many(1, `{"do":"echo"}`)
	f.submit(all...)
	f.end(all[0].TaskID)
	kafkatest.Until(t, "the appender's connection is closed", func() bool { return network.Closed(produceKey) })
	kafkatest.Until(t, "the coordinator's connection is closed", func() bool { return network.Closed(heartbeatKey) })

	// All slots are busy with what was handed over: nothing is fetched, and nothing is locked.
	gate := newGate(t)
	held := f.many(8, gate.payload("gate"))
	f.submit(held...)
	for _, event := range held {
		kafkatest.Until(t, "it is handed over", func() bool { return f.handedOver(event.TaskID) == 1 })
	}
	f.untilSettled()
	kafkatest.Until(t, "the queues' connections are closed", func() bool { return network.Closed(shareFetchKey) })
	waiting := f.many(5, `{"do":"sleep"}`)
	f.submit(waiting...)
	gate.open()
	for _, tasks := range [][]*schemas.TaskQueued{held, waiting} {
		f.report("connections of an idle worker closed", tasks)
		for _, event := range tasks {
			if starts := f.startsOf(event.TaskID); len(starts) != 1 {
				t.Errorf("task %s was started by %v", event.TaskID, starts)
			}
		}
	}
	f.untilSettled()
}
