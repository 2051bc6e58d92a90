// Package blobs keeps bytes under a name for a limited time, by the S3 API: files that tasks work on and files that they make.
package blobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/taskerror"
)

// A Config says where the store is, and what it takes.
type Config struct {
	URL, Region, Bucket, AccessKey, SecretKey string
	PathStyle                                 bool
	// MaxBytes of a blob that is put.
	MaxBytes int64
	// KeepDays for which what is put is kept, and to the midnight (UTC) that follows.
	KeepDays int
}

const (
	// attempts of a request where the store does not answer or fails: a restart of the store is waited out.
	attempts   = 10
	maxBackoff = 5 * time.Second
)

// A Store is the blob store. Errors of its methods are [*taskerror.Error] (BLOB_NOT_FOUND, STORE_UNAVAILABLE, RESULT_TOO_LARGE), or the
// cause by which ctx ended.
type Store struct {
	config Config
	s3     *s3.Client
}

// New gives a store; it connects when it is used.
func New(config Config) *Store {
	return &Store{config: config, s3: s3.New(s3.Options{
		BaseEndpoint: aws.String(config.URL), Region: config.Region, UsePathStyle: config.PathStyle,
		Credentials: credentials.NewStaticCredentialsProvider(config.AccessKey, config.SecretKey, ""),
		Retryer:     retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.MaxBackoff = attempts, maxBackoff }),
	})}
}

// MaxBytes is how many a blob may have that is put.
func (s *Store) MaxBytes() int64 { return s.config.MaxBytes }

// An Open blob is read by its caller, who closes it.
type Open struct {
	Size        int64
	ContentType string
	// Body's errors are those of [Store].
	Body io.ReadCloser
}

// Open opens a blob of a user. Another user's and an expired one are not found, like one that never was.
func (s *Store) Open(ctx context.Context, ref, userID string) (*Open, error) {
	name, ok := ParseRef(ref)
	if !ok || name.UserID != userID || !time.Now().Before(name.ExpiresAt) {
		return nil, notFound(ref, nil)
	}
	object, err := s.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.config.Bucket, Key: &ref})
	if err != nil {
		var missing *types.NoSuchKey
		if errors.As(err, &missing) {
			return nil, notFound(ref, err)
		}
		return nil, unavailable(ctx, err)
	}
	return &Open{Size: aws.ToInt64(object.ContentLength), ContentType: aws.ToString(object.ContentType), Body: &body{ctx, object.Body}}, nil
}

type body struct {
	ctx   context.Context
	inner io.ReadCloser
}

func (b *body) Read(into []byte) (int, error) {
	n, err := b.inner.Read(into)
	if err != nil && err != io.EOF {
		err = unavailable(b.ctx, err)
	}
	return n, err
}

func (b *body) Close() error { return b.inner.Close() }

func notFound(ref string, err error) error {
	return &taskerror.Error{Code: "BLOB_NOT_FOUND", Message: fmt.Sprintf("There is no blob %s, or no more", ref), Final: true, Err: err}
}

// unavailable gives the error of a request that failed: ctx's, where that has ended.
func unavailable(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return &taskerror.Error{Code: "STORE_UNAVAILABLE", Message: "The blob store did not answer in time", Err: err}
}
