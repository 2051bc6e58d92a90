package file_hash

import (
	"context"
	"encoding/hex"
	"hash"
	"io"
	"sync"
)

const (
	// chunkBytes is what is read before the algorithms see it. One chunk is hashed while the next is read.
	chunkBytes = 256 << 10
	chunks     = 4
)

// digest reads source to its end and gives the hashes of what it read, as hexadecimal text by name. It holds four chunks of it,
// however long it is; each algorithm runs on a goroutine of its own, so several cost hardly more than the slowest.
func digest(ctx context.Context, source io.Reader, names []string, read func(bytes int64)) (map[string]string, int64, error) {
	hashes := make([]hash.Hash, len(names))
	feeds := make([]chan *chunk, len(names))
	free := make(chan *chunk, chunks)
	for range chunks {
		free <- &chunk{bytes: make([]byte, chunkBytes)}
	}
	var hashing sync.WaitGroup
	for i, name := range names {
		hashes[i], feeds[i] = algorithms[name](), make(chan *chunk, chunks)
		hashing.Go(func() {
			for one := range feeds[i] {
				_, _ = hashes[i].Write(one.bytes[:one.used])
				one.done(free)
			}
		})
	}
	size, err := feed(ctx, source, feeds, free, read)
	for _, one := range feeds {
		close(one)
	}
	hashing.Wait()
	if err != nil {
		return nil, size, err
	}
	sums := make(map[string]string, len(names))
	for i, name := range names {
		sums[name] = hex.EncodeToString(hashes[i].Sum(nil))
	}
	return sums, size, nil
}

// A chunk is on loan to every algorithm; the last to be done with it gives it back.
type chunk struct {
	bytes []byte
	used  int
	mu    sync.Mutex
	users int
}

func (c *chunk) done(free chan<- *chunk) {
	c.mu.Lock()
	c.users--
	last := c.users == 0
	c.mu.Unlock()
	if last {
		free <- c
	}
}

func feed(ctx context.Context, source io.Reader, feeds []chan *chunk, free chan *chunk, read func(int64)) (int64, error) {
	var size int64
	for {
		var one *chunk
		select {
		case one = <-free:
		case <-ctx.Done():
			return size, context.Cause(ctx)
		}
		used, err := io.ReadFull(source, one.bytes)
		if used > 0 {
			size += int64(used)
			one.used, one.users = used, len(feeds)
			for _, each := range feeds {
				each <- one
			}
			read(size)
		}
		switch err {
		case nil:
		case io.EOF, io.ErrUnexpectedEOF:
			return size, nil
		default:
			return size, err
		}
	}
}
