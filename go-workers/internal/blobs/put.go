package blobs

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/taskerror"
)

// A Stored blob is one that the store has acknowledged.
type Stored struct {
	Ref         string
	Size        int64
	ContentType string
	// SHA256 of its bytes, in hexadecimal.
	SHA256    string
	ExpiresAt time.Time
}

// partBytes is what a longer blob is sent in: the least that S3 takes. It is all that is held of it.
const partBytes = 5 << 20

// abortTimeout bounds the clearing up after an upload whose context has ended.
const abortTimeout = 5 * time.Second

// Put stores what source gives, while it gives it. What fails leaves nothing behind; an error of the source is given as it is.
func (s *Store) Put(ctx context.Context, source io.Reader, userID, contentType string) (*Stored, error) {
	upload := s.newUpload(source, userID, contentType)
	if err := upload.run(ctx); err != nil {
		return nil, err
	}
	return upload.stored(), nil
}

// measure gives what Put would give, but stores nothing.
func (s *Store) measure(ctx context.Context, source io.Reader, userID, contentType string) (*Stored, error) {
	upload := s.newUpload(source, userID, contentType)
	buffer := make([]byte, partBytes)
	for {
		_, err := upload.next(ctx, buffer)
		if err == io.EOF {
			return upload.stored(), nil
		}
		if err != nil {
			return nil, err
		}
	}
}

type upload struct {
	store            *Store
	source           io.Reader
	sum              hash.Hash
	key, contentType string
	size             int64
	expiresAt        time.Time
}

func (s *Store) newUpload(source io.Reader, userID, contentType string) *upload {
	name := Name{expiry(time.Now(), s.config.KeepDays), userID, newID()}
	return &upload{
		store: s, source: source, sum: sha256.New(), key: name.String(), contentType: contentType, expiresAt: name.ExpiresAt,
	}
}

func (u *upload) stored() *Stored {
	return &Stored{
		Ref: u.key, Size: u.size, ContentType: u.contentType, SHA256: hex.EncodeToString(u.sum.Sum(nil)), ExpiresAt: u.expiresAt,
	}
}

func (u *upload) run(ctx context.Context) error {
	buffer := make([]byte, partBytes)
	first, err := u.next(ctx, buffer)
	if err == io.EOF {
		return u.putWhole(ctx, first)
	}
	if err != nil {
		return err
	}
	return u.putParts(ctx, first, buffer)
}

// next fills the buffer from the source; io.EOF says that nothing comes after what it gives.
func (u *upload) next(ctx context.Context, buffer []byte) ([]byte, error) {
	if cause := context.Cause(ctx); cause != nil {
		return nil, cause
	}
	n, err := io.ReadFull(u.source, buffer)
	u.size += int64(n)
	if most := u.store.config.MaxBytes; u.size > most {
		return nil, &taskerror.Error{Code: "RESULT_TOO_LARGE", Message: fmt.Sprintf("The result has over %d bytes; at most so many are kept", most), Final: true}
	}
	u.sum.Write(buffer[:n])
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return buffer[:n], err
}

func (u *upload) putWhole(ctx context.Context, content []byte) error {
	_, err := u.store.s3.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &u.store.config.Bucket, Key: &u.key, ContentType: &u.contentType, Body: bytes.NewReader(content),
	})
	if err != nil {
		return unavailable(ctx, err)
	}
	return nil
}

func (u *upload) putParts(ctx context.Context, part, buffer []byte) error {
	bucket := &u.store.config.Bucket
	begun, err := u.store.s3.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: bucket, Key: &u.key, ContentType: &u.contentType})
	if err != nil {
		return unavailable(ctx, err)
	}
	parts, err := u.sendParts(ctx, begun.UploadId, part, buffer)
	if err == nil {
		_, err = u.store.s3.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
			Bucket: bucket, Key: &u.key, UploadId: begun.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
		})
		if err == nil {
			return nil
		}
		err = unavailable(ctx, err)
	}
	clearing, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTimeout)
	defer cancel()
	// What this leaves, the sweep clears.
	_, _ = u.store.s3.AbortMultipartUpload(clearing, &s3.AbortMultipartUploadInput{Bucket: bucket, Key: &u.key, UploadId: begun.UploadId})
	return err
}

func (u *upload) sendParts(ctx context.Context, id *string, part, buffer []byte) ([]types.CompletedPart, error) {
	var parts []types.CompletedPart
	for number, last := int32(1), false; ; number++ {
		if len(part) > 0 {
			sent, err := u.store.s3.UploadPart(ctx, &s3.UploadPartInput{
				Bucket: &u.store.config.Bucket, Key: &u.key, UploadId: id, PartNumber: aws.Int32(number), Body: bytes.NewReader(part),
			})
			if err != nil {
				return nil, unavailable(ctx, err)
			}
			parts = append(parts, types.CompletedPart{
				ETag: sent.ETag, PartNumber: aws.Int32(number), ChecksumCRC32: sent.ChecksumCRC32, ChecksumCRC64NVME: sent.ChecksumCRC64NVME,
			})
		}
		if last {
			return parts, nil
		}
		var err error
		if part, err = u.next(ctx, buffer); err == io.EOF {
			last = true
		} else if err != nil {
			return nil, err
		}
	}
}

// newID is a UUID (version 4).
func newID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	text := hex.EncodeToString(id[:])
	return fmt.Sprintf("%s-%s-%s-%s-%s", text[:8], text[8:12], text[12:16], text[16:20], text[20:])
}
