package kafkatest

import (
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// SetQuota sets what a broker lets the clients of an id have: bytes a second (producer_byte_rate, consumer_byte_rate), or percents of
// one thread's time (request_percentage). It needs a moment to come into force.
func SetQuota(t testing.TB, client *kgo.Client, clientID, name string, value float64) {
	t.Helper()
	request := kmsg.NewPtrAlterClientQuotasRequest()
	entry := kmsg.NewAlterClientQuotasRequestEntry()
	entity := kmsg.NewAlterClientQuotasRequestEntryEntity()
	entity.Type, entity.Name = "client-id", &clientID
	op := kmsg.NewAlterClientQuotasRequestEntryOp()
	op.Key, op.Value = name, value
	entry.Entity, entry.Ops = append(entry.Entity, entity), append(entry.Ops, op)
	request.Entries = append(request.Entries, entry)
	response, err := request.RequestWith(t.Context(), client)
	if err == nil {
		err = kerr.ErrorForCode(response.Entries[0].ErrorCode)
	}
	if err != nil {
		t.Fatalf("quota of %s: %v", clientID, err)
	}
}

// Throttles count how often brokers told a client to pause. They are a hook for clients.
type Throttles struct {
	mu      sync.Mutex
	count   int
	longest time.Duration
}

// OnBrokerThrottle is called by the client.
func (t *Throttles) OnBrokerThrottle(_ kgo.BrokerMetadata, pause time.Duration, _ bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count++
	t.longest = max(t.longest, pause)
}

// Count of them so far.
func (t *Throttles) Count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.count
}

// Longest pause so far.
func (t *Throttles) Longest() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.longest
}
