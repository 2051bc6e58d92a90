package kafkatest

import (
	"context"
	"encoding/binary"
	"net"
	"sync"
	"sync/atomic"
)

// Faults that strike one request. Lost is the request itself or its answer with the connection; Swallow leaves the connection
// open without an answer.
type Fault int

// The faults.
const (
	LoseRequest Fault = iota
	LoseResponse
	SwallowResponse
)

// A Network dials real connections that can be cut, frozen, and made to lose what is on its way.
type Network struct {
	mu     sync.Mutex
	conns  map[*faultyConn]bool
	frozen chan struct{} // closed: not frozen
	faults map[int16]*injected
	seen   map[int16]int
}

type injected struct {
	fault  Fault
	struck chan struct{}
}

// NewNetwork gives one without faults.
func NewNetwork() *Network {
	healed := make(chan struct{})
	close(healed)
	return &Network{conns: map[*faultyConn]bool{}, frozen: healed, faults: map[int16]*injected{}, seen: map[int16]int{}}
}

// Dial is a dialer for clients.
func (n *Network) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	faulty := &faultyConn{Conn: conn, network: n, closed: make(chan struct{}), carried: map[int16]bool{}}
	n.mu.Lock()
	n.conns[faulty] = true
	n.mu.Unlock()
	return faulty, nil
}

// CutAll ends every connection.
func (n *Network) CutAll() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for conn := range n.conns {
		_ = conn.Conn.Close()
	}
	clear(n.conns)
}

// Freeze lets nothing more come in, connections stay open. Heal ends it.
func (n *Network) Freeze() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.frozen = make(chan struct{})
}

// Heal ends a freeze.
func (n *Network) Heal() {
	n.mu.Lock()
	defer n.mu.Unlock()
	select {
	case <-n.frozen:
	default:
		close(n.frozen)
	}
}

// Inject strikes the next request with this API key; the channel is closed when it has.
func (n *Network) Inject(fault Fault, apiKey int16) (struck <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	one := &injected{fault, make(chan struct{})}
	n.faults[apiKey] = one
	return one.struck
}

// noted gives the fault that is to strike a request.
func (n *Network) noted(conn *faultyConn, request []byte) *injected {
	if len(request) < 6 {
		return nil
	}
	key := int16(binary.BigEndian.Uint16(request[4:]))
	n.mu.Lock()
	defer n.mu.Unlock()
	n.seen[key]++
	conn.carried[key] = true
	one := n.faults[key]
	delete(n.faults, key)
	return one
}

// thaw waits for the end of a freeze; a connection that is closed meanwhile does not wait.
func (n *Network) thaw(closed <-chan struct{}) {
	n.mu.Lock()
	frozen := n.frozen
	n.mu.Unlock()
	select {
	case <-frozen:
	case <-closed:
	}
}

type faultyConn struct {
	net.Conn
	network *Network
	doomed  atomic.Pointer[injected]
	closing sync.Once
	closed  chan struct{}
	carried map[int16]bool // requests by API key; guarded by the network's mutex
}

func (c *faultyConn) Close() error {
	c.closing.Do(func() { close(c.closed) })
	c.network.mu.Lock()
	delete(c.network.conns, c)
	c.network.mu.Unlock()
	return c.Conn.Close()
}

func (c *faultyConn) Write(request []byte) (int, error) {
	if one := c.network.noted(c, request); one != nil {
		if one.fault == LoseRequest {
			close(one.struck)
			return 0, c.Conn.Close()
		}
		c.doomed.Store(one)
	}
	return c.Conn.Write(request)
}

func (c *faultyConn) Read(into []byte) (int, error) {
	for {
		count, err := c.Conn.Read(into)
		c.network.thaw(c.closed)
		one := c.doomed.Load()
		if one == nil || err != nil {
			return count, err
		}
		select {
		case <-one.struck:
		default:
			close(one.struck)
		}
		if one.fault == LoseResponse {
			_ = c.Conn.Close()
		}
	}
}
