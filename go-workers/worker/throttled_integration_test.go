package worker_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/kafkatest"
	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
)

func TestIntegrationAThrottledWorkerStartsEachTaskOnce(t *testing.T) {
	f := newFixture(t, kafkatest.Brokers(t))
	worker := kafkatest.Name("throttled")
	kafkatest.SetQuota(t, f.client, "taskflow-"+worker, "consumer_byte_rate", 20_000)
	f.work(f.define(handler), map[string]string{"TASKFLOW_WORKER_NAME": worker, "TASKFLOW_LOCK_RENEW_MS": "500"})
	large := fmt.Sprintf(`{"do":"nothing","value":%q}`, strings.Repeat("x", 8_000))
	var tasks []*schemas.TaskQueued
	kafkatest.Until(t, "what a throttled fetch had locked has come again", func() bool {
		more := f.many(5, large)
		f.submit(more...)
		tasks = append(tasks, more...)
		again := false
		for _, event := range more {
			f.end(event.TaskID)
			for _, one := range f.of(event.TaskID) {
				started, ok := one.(*schemas.TaskStarted)
				again = again || ok && started.Delivery > 1
			}
		}
		return again
	})
	f.report("throttled", tasks)
	for _, event := range tasks {
		if starts := f.startsOf(event.TaskID); len(starts) != 1 {
			t.Errorf("task %s was started by %v", event.TaskID, starts)
		}
	}
	f.untilSettled()
}
