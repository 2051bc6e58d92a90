package sharequeue

// A renewalCall is one call of Renew, whose records may lie in several partitions. The session's mutex guards it.
type renewalCall struct {
	left     int
	lost     []*Delivered
	finished chan struct{}
}

// A renewalPart is what one request says about one partition.
type renewalPart struct {
	partition *sharePartition
	records   []*Delivered
	call      *renewalCall
}

func (part renewalPart) ranges() []ackRange {
	var renewals acknowledgements
	for _, record := range part.records {
		renewals.add(record.Offset, ackRenew)
	}
	return renewals.take()
}

// renewals wait for their request. As with acknowledgements the broker takes a partition's renewals as a whole, so those it
// refuses are halved until the records without a lock stand alone.
type renewals struct{ parts []renewalPart }

func (r *renewals) add(records []*Delivered) *renewalCall {
	call := &renewalCall{finished: make(chan struct{})}
	byPartition := map[*sharePartition][]*Delivered{}
	for _, record := range records {
		if record.hold.Lost() {
			call.lost = append(call.lost, record)
		} else if !record.settled {
			byPartition[record.hold.owner] = append(byPartition[record.hold.owner], record)
		}
	}
	for partition, same := range byPartition {
		r.push(renewalPart{partition, same, call})
	}
	call.finish()
	return call
}

// take gives the next request's parts: one a partition at most.
func (r *renewals) take() []renewalPart {
	var taken, left []renewalPart
	seen := map[*sharePartition]bool{}
	for _, part := range r.parts {
		if seen[part.partition] {
			left = append(left, part)
			continue
		}
		seen[part.partition] = true
		taken = append(taken, part)
	}
	r.parts = left
	return taken
}

func (r *renewals) answered(part renewalPart, outcome ackOutcome, lockedUntil int64) {
	part.call.left--
	switch outcome {
	case ackDone:
		for _, record := range part.records {
			record.lockedUntil.Store(lockedUntil)
		}
	case ackInvalidState:
		var open []*Delivered
		for _, record := range part.records {
			if !record.settled { // what was accepted meanwhile has no lock to renew
				open = append(open, record)
			}
		}
		if len(open) > 1 {
			half := (len(open) + 1) / 2
			r.push(renewalPart{part.partition, open[:half], part.call})
			r.push(renewalPart{part.partition, open[half:], part.call})
		} else {
			part.call.lost = append(part.call.lost, open...)
		}
	}
	part.call.finish()
}

// lose ends renewals whose session is over, and every lock with it.
func lose(parts []renewalPart) {
	for _, part := range parts {
		part.call.left--
		part.call.lost = append(part.call.lost, part.records...)
		part.call.finish()
	}
}

func (r *renewals) push(part renewalPart) {
	part.call.left++
	r.parts = append(r.parts, part)
}

func (call *renewalCall) finish() {
	if call.left == 0 {
		close(call.finished)
	}
}
