package sharequeue

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// A partitionFault is what an error for one partition means.
type partitionFault struct {
	// lost: the broker does not lead the partition (any more), or it is gone: no lock on it is left.
	lost bool
	// pause is about how long to leave the partition out.
	pause time.Duration
}

// faultOfPartition knows the errors of one partition. Whatever is not known by name may pass: it is tried again.
func faultOfPartition(err error) partitionFault {
	switch {
	case isAny(err, kerr.NotLeaderForPartition, kerr.FencedLeaderEpoch, kerr.LeaderNotAvailable):
		return partitionFault{lost: true, pause: 100 * time.Millisecond}
	case isAny(err, kerr.UnknownTopicOrPartition, kerr.UnknownTopicID, kerr.InconsistentTopicID):
		return partitionFault{lost: true, pause: 400 * time.Millisecond}
	case isRefused(err):
		return partitionFault{pause: 5 * time.Second}
	default:
		return partitionFault{pause: 400 * time.Millisecond}
	}
}

// A sessionFault is what an error for a whole session means.
type sessionFault struct {
	// keepConnection: it is sound. Closing it would make the broker end the session that is opened next (see session).
	keepConnection bool
	// pause is about how long to wait before the next attempt, beside the growing pause after repeated failures.
	pause time.Duration
}

func faultOfSession(err error) sessionFault {
	var answered *kerr.Error
	switch {
	case !errors.As(err, &answered):
		return sessionFault{pause: 50 * time.Millisecond}
	case isAny(err, kerr.ShareSessionNotFound, kerr.InvalidShareSessionEpoch):
		return sessionFault{keepConnection: true}
	case isAny(err, kerr.ShareSessionLimitReached):
		return sessionFault{keepConnection: true, pause: time.Second}
	case isRefused(err):
		return sessionFault{pause: 5 * time.Second}
	default:
		return sessionFault{pause: 400 * time.Millisecond}
	}
}

// isRefused: trying again soon cannot help.
func isRefused(err error) bool {
	return isAny(err, kerr.TopicAuthorizationFailed, kerr.GroupAuthorizationFailed, kerr.UnsupportedVersion)
}

func isAny(err error, candidates ...error) bool {
	for _, candidate := range candidates {
		if errors.Is(err, candidate) {
			return true
		}
	}
	return false
}

const (
	restBase = time.Second
	// restCap: a broker judges by the last eleven seconds, unless it is told otherwise (`quota.window.num`).
	restCap = 10 * time.Second
)

// throttledRest is how long to fetch nothing after so many fetches in a row whose answers were throttled. The broker's own time
// is not enough: it is reckoned without the records of the next fetch.
func throttledRest(row int, throttle time.Duration) time.Duration {
	bound := min(restCap, restBase<<(2*min(row-1, 5)))
	return throttle + time.Duration((0.5+rand.Float64()/2)*float64(bound))
}

// jittered is a random time from half to one and a half of the pause, so that clients which lost the same broker do not come
// back in step.
func jittered(pause time.Duration) time.Duration {
	return time.Duration((0.5 + rand.Float64()) * float64(pause))
}

// backoff is the pause before repetition n (1 is the first): a random time between 0 and a bound that doubles from 50 ms to 2 s.
func backoff(n int) time.Duration {
	bound := min(2*time.Second, 50*time.Millisecond<<min(n-1, 10))
	return time.Duration(rand.Float64() * float64(bound))
}
