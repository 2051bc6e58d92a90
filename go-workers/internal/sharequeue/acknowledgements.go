package sharequeue

import "slices"

// An ackType says what becomes of an acquired record, as the protocol numbers it. A gap is an offset that holds no record.
type ackType int8

const (
	ackGap     ackType = 0
	ackAccept  ackType = 1
	ackRelease ackType = 2
	ackReject  ackType = 3
	ackRenew   ackType = 4
)

// An ackRange acknowledges the offsets from first to last, both included.
type ackRange struct {
	first, last int64
	kind        ackType
}

// acknowledgements of one partition that wait for the next request. Adding one is an append of one number: a worker adds
// tens of thousands a second. take sorts them and merges neighbours of one kind into ranges.
//
// Where one offset was given several, the lowest kind counts, so an accept beats a release, and anything beats a renewal.
type acknowledgements struct {
	packed []int64 // offset · 8 + kind; offsets stay below 2⁶⁰
	ranges []ackRange
}

const ackKinds = 8

func (a *acknowledgements) empty() bool { return len(a.packed) == 0 && len(a.ranges) == 0 }

func (a *acknowledgements) add(offset int64, kind ackType) {
	a.packed = append(a.packed, offset*ackKinds+int64(kind))
}

// addRanges adds ranges, which must not overlap what else is here.
func (a *acknowledgements) addRanges(ranges []ackRange) { a.ranges = append(a.ranges, ranges...) }

// take gives everything that waits, ascending and without overlaps; nothing waits afterwards.
func (a *acknowledgements) take() []ackRange {
	slices.Sort(a.packed)
	taken := merged(a.packed)
	if len(a.ranges) > 0 {
		taken = joined(append(taken, a.ranges...))
	}
	a.packed, a.ranges = a.packed[:0], nil
	return taken
}

func merged(packed []int64) []ackRange {
	var ranges []ackRange
	for _, one := range packed {
		offset, kind := one/ackKinds, ackType(one%ackKinds)
		if n := len(ranges); n > 0 {
			last := &ranges[n-1]
			if offset == last.last {
				continue // sorted: the kind that counts came first
			}
			if offset == last.last+1 && kind == last.kind {
				last.last = offset
				continue
			}
		}
		ranges = append(ranges, ackRange{offset, offset, kind})
	}
	return ranges
}

func joined(ranges []ackRange) []ackRange {
	slices.SortFunc(ranges, func(a, b ackRange) int { return int(min(1, max(-1, a.first-b.first))) })
	out := ranges[:0]
	for _, one := range ranges {
		if n := len(out); n > 0 && out[n-1].last+1 == one.first && out[n-1].kind == one.kind {
			out[n-1].last = one.last
			continue
		}
		out = append(out, one)
	}
	return out
}

// countOf says how many offsets the ranges cover.
func countOf(ranges []ackRange) int64 {
	var count int64
	for _, one := range ranges {
		count += one.last - one.first + 1
	}
	return count
}

// halved cuts the ranges into two halves with (about) the same number of offsets; the second is empty for a single offset.
func halved(ranges []ackRange) (head, tail []ackRange) {
	left := (countOf(ranges) + 1) / 2
	for _, one := range ranges {
		size := one.last - one.first + 1
		switch {
		case left >= size:
			head = append(head, one)
		case left <= 0:
			tail = append(tail, one)
		default:
			head = append(head, ackRange{one.first, one.first + left - 1, one.kind})
			tail = append(tail, ackRange{one.first + left, one.last, one.kind})
		}
		left -= size
	}
	return head, tail
}
