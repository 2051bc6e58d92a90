package worker

import (
	"encoding/hex"
	"math/rand/v2"
	"sync"
	"time"
)

// eventIDs gives UUIDv7 (RFC 9562) that ascend strictly within the process, also where the clock stands still or steps back: ties
// between events of one process are decided in the order in which it made them.
var eventIDs struct {
	mu      sync.Mutex
	lastMs  int64
	counter uint16
}

func newEventID(now time.Time) string {
	random := rand.Uint64()
	eventIDs.mu.Lock()
	if ms := now.UnixMilli(); ms > eventIDs.lastMs {
		// The upper half of the counter is left free, so that it can count within the millisecond.
		eventIDs.lastMs, eventIDs.counter = ms, uint16(rand.Uint32()&0x7ff)
	} else if eventIDs.counter++; eventIDs.counter > 0xfff {
		eventIDs.lastMs++
		eventIDs.counter = 0
	}
	ms, counter := uint64(eventIDs.lastMs), eventIDs.counter
	eventIDs.mu.Unlock()
	raw := [16]byte{
		byte(ms >> 40), byte(ms >> 32), byte(ms >> 24), byte(ms >> 16), byte(ms >> 8), byte(ms),
		0x70 | byte(counter>>8), byte(counter), 0x80 | byte(random>>58), byte(random >> 48), byte(random >> 40), byte(random >> 32),
		byte(random >> 24), byte(random >> 16), byte(random >> 8), byte(random),
	}
	var text [36]byte
	hex.Encode(text[0:8], raw[0:4])
	hex.Encode(text[9:13], raw[4:6])
	hex.Encode(text[14:18], raw[6:8])
	hex.Encode(text[19:23], raw[8:10])
	hex.Encode(text[24:36], raw[10:16])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}
