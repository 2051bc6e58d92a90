package appender

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A flushing is a producer that takes all, and notes how many records each request had, and when it left.
type flushing struct {
	promises []func()
	began    time.Time
	sizes    []int
	at       []time.Duration
}

func (f *flushing) Produce(_ context.Context, record *kgo.Record, promise func(*kgo.Record, error)) {
	f.promises = append(f.promises, func() { promise(record, nil) })
}

func (f *flushing) Flush(context.Context) error {
	f.sizes, f.at = append(f.sizes, len(f.promises)), append(f.at, time.Since(f.began))
	time.Sleep(time.Millisecond)
	for _, done := range f.promises {
		done()
	}
	f.promises = nil
	return nil
}

func TestTheNextBatchLeavesThreeMillisecondsLaterForEachOfSeveralRecordsAndAtOnceAfterASmallerOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broker := &flushing{began: time.Now()}
		a := start(broker, Options{})
		defer a.Close()
		for _, burst := range []struct {
			at    time.Duration
			count int
		}{{0, 1}, {400 * time.Microsecond, 3}, {1500 * time.Microsecond, 1}, {5 * time.Millisecond, 1},
			{time.Second, 50}, {time.Second + 2*time.Millisecond, 1}} {
			time.Sleep(burst.at - time.Since(broker.began))
			for range burst.count {
				if err := a.Append(&Record{}); err != nil {
					t.Fatal(err)
				}
			}
		}
		if !a.Flush(t.Context()) {
			t.Error("the flush did not end")
		}
		if want := []time.Duration{0, time.Millisecond, 10 * time.Millisecond, time.Second, time.Second + 20*time.Millisecond}; !slices.Equal(broker.at, want) {
			t.Errorf("requests left at %v, not %v", broker.at, want)
		}
		if want := []int{1, 3, 2, 50, 1}; !slices.Equal(broker.sizes, want) {
			t.Errorf("requests had %v records, not %v", broker.sizes, want)
		}
	})
}
