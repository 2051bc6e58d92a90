package sharequeue

import (
	"math"
	"slices"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/recordbatch"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// What a fetch has acquired of one partition.
type acquired struct {
	records []*Delivered
	// vacant are acquired offsets without a record. Transaction markers and what compaction removed are gaps, which the
	// broker must be told of: it cannot move the group's start past them otherwise. What lay behind a batch that was cut off
	// is released.
	vacant []ackRange
	// unreadable says why a batch cannot be read. What was acquired of it and behind it stays locked until its lock ends.
	unreadable error
}

type acquiredRange = kmsg.ShareFetchResponseTopicPartitionAcquiredRecord

// acquiredRecords picks the acquired records out of the batches of a fetch, which hold whole batches however few records
// were acquired.
func acquiredRecords(batches []byte, ranges []acquiredRange, hold *Hold, lockedUntil int64) acquired {
	slices.SortFunc(ranges, func(a, b acquiredRange) int {
		return int(min(1, max(-1, a.FirstOffset-b.FirstOffset)))
	})
	var out acquired
	due := int64(math.MaxInt64) // the next acquired offset that has not been seen
	if len(ranges) > 0 {
		due = ranges[0].FirstOffset
	}
	var batch *acquiredBatch // of the first of the ranges, once it has a record
	next := func() {
		batch = nil
		if ranges = ranges[1:]; len(ranges) > 0 {
			due = ranges[0].FirstOffset
		} else {
			due = math.MaxInt64
		}
	}
	passTo := func(offset int64, kind ackType) {
		for due < offset {
			last := min(ranges[0].LastOffset, offset-1)
			if due <= last {
				out.vacant = append(out.vacant, ackRange{due, last, kind})
			}
			if due = last + 1; due <= ranges[0].LastOffset {
				return
			}
			next()
		}
	}
	wanted := func(offset int64) bool {
		passTo(offset, ackGap)
		return offset == due
	}
	nextOffset, err := recordbatch.Decode(batches, wanted, func(record recordbatch.Record) {
		if batch == nil {
			batch = &acquiredBatch{first: ranges[0].FirstOffset, last: ranges[0].LastOffset}
		}
		batch.delivered()
		out.records = append(out.records, &Delivered{
			Topic: hold.Topic, Partition: hold.Partition, Offset: record.Offset,
			Key: record.Key, Value: record.Value, AppendedAt: record.Timestamp, LeaderEpoch: record.LeaderEpoch,
			Delivery: int32(ranges[0].DeliveryCount), hold: hold, batch: batch,
		})
		out.records[len(out.records)-1].lockedUntil.Store(lockedUntil)
		if due++; due > ranges[0].LastOffset {
			next()
		}
	})
	if err != nil {
		out.unreadable = err
		return out
	}
	passTo(nextOffset, ackGap)
	passTo(math.MaxInt64, ackRelease)
	return out
}
