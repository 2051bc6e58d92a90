package kafkatest

import (
	"errors"
	"syscall"
)

// Seen counts the requests with this API key so far.
func (n *Network) Seen(apiKey int16) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.seen[apiKey]
}

// Closed says that requests with this API key were sent, and that every connection that carried one has been closed since, by whichever
// side. A client need not have noticed yet.
func (n *Network) Closed(apiKey int16) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for conn := range n.conns {
		if conn.carried[apiKey] && !conn.endedByPeer() {
			return false
		}
	}
	return n.seen[apiKey] > 0
}

// endedByPeer looks without reading, whether or not somebody else reads.
func (c *faultyConn) endedByPeer() bool {
	raw, err := c.Conn.(syscall.Conn).SyscallConn()
	if err != nil {
		return true
	}
	count, peeked := 0, error(nil)
	err = raw.Control(func(descriptor uintptr) {
		count, _, peeked = syscall.Recvfrom(int(descriptor), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	})
	nothingYet := errors.Is(peeked, syscall.EAGAIN) || errors.Is(peeked, syscall.EINTR)
	return err != nil || count <= 0 && !nothingYet
}
