package worker

import (
	"testing"
	"time"
)

func TestFetchInterval(t *testing.T) {
	for _, one := range []struct {
		asked, given int
		want         time.Duration
	}{
		{asked: 100, given: 0, want: 0},
		{asked: 100, given: 4, want: 4 * time.Millisecond},
		{asked: 100, given: 49, want: 10 * time.Millisecond},
		{asked: 100, given: 50, want: 0}, // more may wait
		{asked: 1, given: 1, want: 0},
	} {
		if got := fetchInterval(one.asked, one.given); got != one.want {
			t.Errorf("asked for %d, given %d: %v, want %v", one.asked, one.given, got, one.want)
		}
	}
}
