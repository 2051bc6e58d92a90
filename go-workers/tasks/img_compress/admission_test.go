package img_compress

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
)

func TestAdmissionBoundsThePixelsInWork(t *testing.T) {
	a := newAdmission(10)
	var inWork, most atomic.Int64
	var working sync.WaitGroup
	for i := range 200 {
		pixels := int64(i%13 + 1)
		working.Go(func() {
			leave, err := a.enter(t.Context(), pixels)
			if err != nil {
				t.Error(err)
				return
			}
			now := inWork.Add(min(pixels, 10))
			for seen := most.Load(); now > seen && !most.CompareAndSwap(seen, now); seen = most.Load() {
			}
			inWork.Add(-min(pixels, 10))
			leave()
		})
	}
	working.Wait()
	if most.Load() > 10 || a.inWork != 0 {
		t.Errorf("up to %d pixels were in work, %d still are", most.Load(), a.inWork)
	}
}

func TestAdmissionEndsWithItsAttempt(t *testing.T) {
	a := newAdmission(10)
	leave, err := a.enter(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	reason := errors.New("over")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(reason)
	for range 2 {
		if _, err := a.enter(ctx, 1); !errors.Is(err, reason) {
			t.Errorf("got %v", err)
		}
	}
	leave()
	if _, err := a.enter(t.Context(), 10); err != nil {
		t.Error(err)
	}
}
