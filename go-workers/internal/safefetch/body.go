package safefetch

import (
	"context"
	"io"
	"net/url"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/taskerror"
)

// A body watches that a server goes on sending.
type body struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	client *Client
	inner  io.ReadCloser
	target *url.URL
	idle   *time.Timer
}

func newBody(ctx context.Context, cancel context.CancelCauseFunc, client *Client, inner io.ReadCloser, target *url.URL) *body {
	b := &body{ctx: ctx, cancel: cancel, client: client, inner: inner, target: target}
	b.idle = time.AfterFunc(client.config.IdleTimeout, func() {
		cancel(&taskerror.Error{Code: "TIMEOUT", Message: target.Scheme + "://" + target.Host + " stopped sending its body"})
	})
	return b
}

func (b *body) Read(into []byte) (int, error) {
	n, err := b.inner.Read(into)
	if n > 0 {
		b.idle.Reset(b.client.config.IdleTimeout)
	}
	if err != nil && err != io.EOF {
		err = b.client.failure(b.ctx, b.target, err)
	}
	return n, err
}

func (b *body) Close() error {
	b.idle.Stop()
	err := b.inner.Close()
	b.cancel(nil)
	return err
}
