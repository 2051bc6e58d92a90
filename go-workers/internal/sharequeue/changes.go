package sharequeue

import ()

// onChange calls back when a source may have become ready, or all that waited is acknowledged; until it is stopped.
func (q *Queue) onChange(listener func()) (stop func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	at := len(q.listeners)
	for i, free := range q.listeners {
		if free == nil {
			at = i
		}
	}
	if at == len(q.listeners) {
		q.listeners = append(q.listeners, nil)
	}
	q.listeners[at] = listener
	return func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.listeners[at] = nil
	}
}

func (q *Queue) changed() {
	q.polls.changed()
	q.mu.Lock()
	listeners := append([]func(){}, q.listeners...)
	q.mu.Unlock()
	for _, listener := range listeners {
		if listener != nil {
			listener()
		}
	}
}

func (q *Queue) lost(holds []*Hold, reason error) {
	q.sessionsLost.Add(int64(len(holds)))
	if q.config.OnSessionLost == nil {
		return
	}
	for _, hold := range holds {
		q.config.OnSessionLost(hold, reason)
	}
}
