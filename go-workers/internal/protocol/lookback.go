package protocol

import "math"

// A LookBackSubject is a record that is to be checked. Times are the broker's.
type LookBackSubject struct {
	AppendedAt int64 `json:"appendedAt"`
	// OccurredAt of the TaskQueued: a copy has that of the original, however late it is appended.
	OccurredAt int64 `json:"occurredAt"`
	Delivery   int32 `json:"delivery"`
}

// LookBackKnowledge is what is known beside the record.
type LookBackKnowledge struct {
	// Now is the broker's time, or somewhat before.
	Now int64 `json:"now"`
	// UnavailableAt are ascending times at which this worker asked the partition and was shown that the record was not to be had:
	// by an answer of a fetch that waited and stayed empty, or by one that brought a higher offset.
	UnavailableAt []int64 `json:"unavailableAt"`
	// LastEventOfOldLeader is the append time of the last event that was written under the old leader; nil where that is not known.
	LastEventOfOldLeader *int64 `json:"lastEventOfOldLeader"`
}

// LookBackFrom says from which append time on the events partition is to be read so that everything is found that decides what
// becomes of the record. One scan serves many records: from the earliest of their times.
//
//   - Nothing of an attempt lies before its record. A copy's twin may have been appended before, by as much as its event is
//     old and CopyMarginMs (clocks differ).
//   - Who holds a record without handing it over acquired it no longer ago than lock + hand-over: so where the record was not to
//     be had at some time, its delivery of then began no earlier than that much before. This is applied once for each earlier
//     delivery; whoever has asked all the time looks back lock + hand-over for each.
//   - What the broker forgot was held when the old leader went, and was started no longer than lock + hand-over before the last
//     event that it could take.
func LookBackFrom(record LookBackSubject, suspicion Suspicion, known LookBackKnowledge, values Values) int64 {
	heldAtMost := values.LockMs + values.HandOverAfterMs
	from := int64(math.MaxInt64)
	if suspicion.Copy {
		from = min(record.AppendedAt, record.OccurredAt) - values.CopyMarginMs
	}
	if suspicion.Forgotten {
		since := record.AppendedAt
		if known.LastEventOfOldLeader != nil {
			since = max(since, *known.LastEventOfOldLeader-heldAtMost)
		}
		from = min(from, since)
	}
	if suspicion.Redelivered {
		from = min(from, sinceFirstDelivery(record, known, heldAtMost))
	}
	return from - values.BrokerClockSkewMs
}

func sinceFirstDelivery(record LookBackSubject, known LookBackKnowledge, heldAtMost int64) int64 {
	at := known.Now
	for earlier := record.Delivery - 1; earlier > 0; earlier-- {
		shown := int64(math.MinInt64)
		for _, one := range known.UnavailableAt {
			if one <= at {
				shown = one
			}
		}
		if shown <= record.AppendedAt {
			return record.AppendedAt
		}
		at = shown - heldAtMost
	}
	return max(record.AppendedAt, at)
}
