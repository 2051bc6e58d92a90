package schemas

// attempts is how many a generation holds.
const attempts = 1 << 20

// rank is where an event stands within its attempt. An end has no rank of its own: it is above all attempts.
func rank(name RecordName) int64 {
	switch name {
	case NameTaskQueued:
		return 1
	case NameTaskStarted, NameTaskHeartbeat:
		return 2
	case NameTaskRetryScheduled:
		return 3
	}
	return 0
}

func isEnd(name RecordName) bool {
	return name == NameTaskSucceeded || name == NameTaskFailed || name == NameTaskCancelled
}

// PackVersion packs an event's place in the order (generation, ended, attempt, rank) into one integer that compares
// alike: ((generation · 2 + ended) · 2²⁰ + attempt) · 4 + rank. Of an end attempt and rank are 0, so that all ends of a
// generation are equal and the first of them on the log stays.
func PackVersion(generation int32, ended bool, attempt int32, rank int64) int64 {
	if ended {
		return (int64(generation)*2 + 1) * attempts * 4
	}
	return (int64(generation)*2*attempts+int64(attempt))*4 + rank
}

// VersionOf is the version that an event gives to its task, if none was greater.
func VersionOf(name RecordName, generation, attempt int32) int64 {
	return PackVersion(generation, isEnd(name), attempt, rank(name))
}
