package sharequeue

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// errConnectionEnded says that a session's connection ended: locks and session are gone.
var errConnectionEnded = errors.New("the connection to the broker ended")

// idleTimeout is the longest that franz-go takes: a session's connection is never given up by this side for being idle,
// because its locks would go with it.
const idleTimeout = 15 * time.Minute

// A Dialer connects to a broker, TLS included.
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

// A connection is the way to one broker that a share session has for itself: a broker mutes a connection while it answers, so
// a long poll would hold up everything else, and it ties session and locks to it. It is a franz-go client with a single seed,
// which brings TLS, SASL with its renewal, throttling and versions; it asks for no metadata, and costs three goroutines and
// some 60 KB.
type connection struct {
	client *kgo.Client
	broker *kgo.Broker
	// ended is closed when the TCP connection ends, also while nothing is asked on it.
	ended   chan struct{}
	ending  sync.Once
	dialled sync.Once
	// openFrom: the broker takes nothing before (it has throttled an answer). Of the session's loop alone.
	openFrom time.Time
}

func openConnection(options []kgo.Opt, dial Dialer, address string, answerTimeout time.Duration) (*connection, error) {
	c := &connection{ended: make(chan struct{})}
	client, err := kgo.NewClient(append(options[:len(options):len(options)],
		kgo.SeedBrokers(address),
		kgo.RequestTimeoutOverhead(answerTimeout),
		kgo.ConnIdleTimeout(idleTimeout),
		kgo.DisableClientMetrics(),
		kgo.Dialer(func(ctx context.Context, network, address string) (net.Conn, error) {
			err := errConnectionEnded
			var conn net.Conn
			c.dialled.Do(func() { conn, err = dial(ctx, network, address) }) // a second one would be another session
			if err != nil {
				c.end()
				return nil, err
			}
			return watchEnd(conn, c.end), nil
		}),
	)...)
	if err != nil {
		return nil, fmt.Errorf("connection to broker %s: %w", address, err)
	}
	c.client, c.broker = client, client.SeedBrokers()[0]
	return c, nil
}

func (c *connection) request(ctx context.Context, request kmsg.Request) (kmsg.Response, error) {
	response, err := c.broker.Request(ctx, request)
	if answer, ok := response.(kmsg.ThrottleResponse); ok && err == nil {
		millis, _ := answer.Throttle()
		c.openFrom = time.Now().Add(time.Duration(millis) * time.Millisecond)
	}
	return response, err
}

func (c *connection) end() { c.ending.Do(func() { close(c.ended) }) }

func (c *connection) close() {
	c.client.Close()
	c.end()
}

// A watchedConn is read all the time, so that its end is noticed while nobody waits for an answer.
type watchedConn struct {
	net.Conn
	incoming net.Conn
}

// watchEnd calls onEnd when the connection ends, whoever ended it.
func watchEnd(conn net.Conn, onEnd func()) net.Conn {
	incoming, outgoing := net.Pipe()
	go func() {
		// Without its own WriterTo the connection is copied through one buffer of 32 KiB.
		_, _ = io.Copy(outgoing, struct{ io.Reader }{conn})
		onEnd()
		_ = outgoing.Close()
	}()
	return &watchedConn{conn, incoming}
}

func (c *watchedConn) Read(into []byte) (int, error) { return c.incoming.Read(into) }

func (c *watchedConn) SetReadDeadline(at time.Time) error { return c.incoming.SetReadDeadline(at) }

func (c *watchedConn) SetDeadline(at time.Time) error {
	return errors.Join(c.incoming.SetReadDeadline(at), c.SetWriteDeadline(at))
}

func (c *watchedConn) Close() error {
	return errors.Join(c.Conn.Close(), c.incoming.Close())
}
