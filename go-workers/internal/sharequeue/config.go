package sharequeue

import (
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A Config says which queue to read, and how.
type Config struct {
	// Client asks for leaders and speaks with the group's coordinator. The process shares it.
	Client *kgo.Client
	// Options for the connections of sessions: client id, SASL. (TLS is the dialer's.)
	Options []kgo.Opt
	// Dial connects to brokers; plain TCP unless set.
	Dial Dialer
	// Topic is the queue: a share group reads one topic here.
	Topic string
	Group string
	// MemberID is that of this process in this group; kept for the queue's whole life. A random one unless set.
	MemberID string
	// OnSessionOpened: a hold begins. What was asked for before it, and is delivered on it, comes afterwards. It must not wait.
	OnSessionOpened func(hold *Hold)
	// OnSessionLost: a hold is over. What was delivered on it is free for others at this moment, or will be in the next. Whatever
	// runs may go on running; it is to be handed over in the log at once, because its accept does nothing any more. It must not wait.
	OnSessionLost func(hold *Hold, reason error)
	// MaxBytes that one fetch may bring (one record more than that at most). 16 MiB unless set.
	MaxBytes int32
	// BatchRecords: no writer of the queue puts more records into a batch. With as many free slots whole batches are acquired; never if 0.
	BatchRecords int
	// AnswerTimeout of the broker, beside the wait that a fetch asks for. 10 s unless set: shorter than the records' locks.
	AnswerTimeout time.Duration
	Logger        *slog.Logger
}
