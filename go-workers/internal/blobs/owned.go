package blobs

import (
	"context"
	"io"
)

// An Owned store is what a user's task sees of it: the user's blobs. A nil one does not answer.
type Owned struct {
	store  *Store
	userID string
	// keeps: what is stored is kept.
	keeps bool
}

// Of gives the store as a user's tasks see it.
func (s *Store) Of(userID string) *Owned { return &Owned{s, userID, true} }

// Preview gives the store as a preview for a user sees it: blobs can be opened, and what is stored is read and measured, but kept nowhere.
func (s *Store) Preview(userID string) *Owned { return &Owned{s, userID, false} }

// Open opens a blob of the task's user, by its reference. Its error is a [*taskerror.Error] with the code BLOB_NOT_FOUND where the user has no
// such blob, or no more.
func (o *Owned) Open(ctx context.Context, ref string) (*Open, error) {
	if o == nil || o.store == nil {
		return nil, unavailable(ctx, nil)
	}
	return o.store.Open(ctx, ref, o.userID)
}

// Store stores what source gives, while it gives it, as a blob of the task's user.
func (o *Owned) Store(ctx context.Context, source io.Reader, contentType string) (*Stored, error) {
	if o == nil || o.store == nil {
		return nil, unavailable(ctx, nil)
	}
	if !o.keeps {
		return o.store.measure(ctx, source, o.userID, contentType)
	}
	return o.store.Put(ctx, source, o.userID, contentType)
}
