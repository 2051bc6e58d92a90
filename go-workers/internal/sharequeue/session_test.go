package sharequeue

import (
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

func TestAPartitionThatTheBrokerDidNotServeIsAskedForAnewOrForgotten(t *testing.T) {
	a, b := partitionID{partition: 0}, partitionID{partition: 1}
	queue := &Queue{logger: slog.New(slog.DiscardHandler), polls: newPolls(nil), plan: make(chan struct{}, 1)}
	s := &session{
		queue: queue, members: map[partitionID]bool{a: true, b: true}, known: map[partitionID]*sharePartition{},
		pausedUntil: map[partitionID]time.Time{},
	}
	s.known[a] = &sharePartition{id: a, session: s, counts: &queue.counts}
	s.known[a].begin("topic", 1, 0)
	hold := s.known[a].hold
	s.partitionFailed(s.known[a], kerr.NotLeaderForPartition, nil)
	if !hold.Lost() || queue.sessionsLost.Load() != 1 {
		t.Error("its hold is not lost")
	}
	if added, forgotten := s.changes([]partitionID{b}); len(added) > 0 || !slices.Equal(forgotten, []partitionID{a}) {
		t.Errorf("no longer wanted: %v added, %v forgotten", added, forgotten)
	}
	added, forgotten := s.changes([]partitionID{a, b})
	if !slices.Equal(added, []partitionID{a}) || len(forgotten) > 0 {
		t.Errorf("wanted again: %v added, %v forgotten", added, forgotten)
	}
	s.succeeded(added, forgotten)
	if added, forgotten := s.changes([]partitionID{a, b}); len(added)+len(forgotten) > 0 {
		t.Errorf("afterwards: %v added, %v forgotten", added, forgotten)
	}
}

func TestAPauseThatEndsWhileARequestIsUnderWayIsNoticed(t *testing.T) {
	before := time.Now()
	after := before.Add(time.Second)
	within := before.Add(time.Millisecond)
	for name, one := range map[string]struct {
		s    *session
		want bool
	}{
		"of the session":     {&session{resumeAt: within}, true},
		"of a partition":     {&session{pausedUntil: map[partitionID]time.Time{{}: within}}, true},
		"that goes on":       {&session{resumeAt: after.Add(time.Second)}, false},
		"that ended earlier": {&session{resumeAt: before}, false},
	} {
		if got := one.s.pauseEnded(before, after); got != one.want {
			t.Errorf("a pause %s: %v", name, got)
		}
	}
}
