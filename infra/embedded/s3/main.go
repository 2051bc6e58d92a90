// Command embedded-s3 serves the S3 API from a folder: Versity's S3 gateway as a library, with one account and nothing of
// what the stack does not need.
//
//	ROOT_ACCESS_KEY=… ROOT_SECRET_KEY=… embedded-s3 127.0.0.1:29000 us-east-1 <folder> <bucket>
//
// Objects lie in <folder>/buckets, a folder for each bucket; the one named is made. /healthz says that it answers. It ends on
// SIGTERM or SIGINT.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
)

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: embedded-s3 <host:port> <region> <folder> <bucket>")
		os.Exit(2)
	}
	if err := serve(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintf(os.Stderr, "embedded-s3: %v\n", err)
		os.Exit(1)
	}
}

func serve(address, region, folder, bucket string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()

	buckets := filepath.Join(folder, "buckets")
	if err := os.MkdirAll(filepath.Join(buckets, bucket), 0o755); err != nil {
		return fmt.Errorf("cannot make the bucket %s: %w", bucket, err)
	}
	// Nobody else writes to the folder, so no lock files are needed.
	options := posix.PosixOpts{Concurrency: 256, ForceNoObjLockFile: true}
	metadata, err := metadataStore(buckets, filepath.Join(folder, "metadata"), &options)
	if err != nil {
		return err
	}
	store, err := posix.New(buckets, metadata, options)
	if err != nil {
		return fmt.Errorf("cannot use %s: %w", buckets, err)
	}
	return embedgw.RunVersityGW(ctx, store, &embedgw.Config{
		RootUserAccess:    os.Getenv("ROOT_ACCESS_KEY"),
		RootUserSecret:    os.Getenv("ROOT_SECRET_KEY"),
		Region:            region,
		Ports:             []string{address},
		MaxConnections:    4_096,
		MaxRequests:       1_024,
		MultipartMaxParts: 10_000,
		KeepAlive:         true,
		Quiet:             true,
		HealthPath:        "/healthz",
	})
}

// metadataStore keeps what is known of objects in extended attributes of their files, or in files of a folder beside them where the file
// system has no such attributes.
func metadataStore(buckets, sidecar string, options *posix.PosixOpts) (meta.MetadataStorer, error) {
	if (meta.XattrMeta{}).Test(buckets) == nil {
		return meta.XattrMeta{}, nil
	}
	if err := os.MkdirAll(sidecar, 0o755); err != nil {
		return nil, fmt.Errorf("cannot make %s: %w", sidecar, err)
	}
	options.SideCarDir = sidecar
	store, err := meta.NewSideCar(sidecar)
	if err != nil {
		return nil, fmt.Errorf("cannot use %s: %w", sidecar, err)
	}
	return store, nil
}
