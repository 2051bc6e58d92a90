// Command embedded-mongo serves MongoDB's wire protocol from a PostgreSQL database: FerretDB v1 as a library, whose
// own command does not build from its module alone.
//
//	embedded-mongo 127.0.0.1:27017 postgres://user:password@127.0.0.1:5432/ferretdb
//
// It ends on SIGTERM or SIGINT.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: embedded-mongo <host:port> <PostgreSQL URL>")
		os.Exit(2)
	}
	if err := serve(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintf(os.Stderr, "embedded-mongo: %v\n", err)
		os.Exit(1)
	}
}

func serve(address, postgresURL string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()

	server, err := ferretdb.New(&ferretdb.Config{
		Listener:      ferretdb.ListenerConfig{TCP: address},
		Handler:       "postgresql",
		PostgreSQLURL: postgresURL,
		// FerretDB tells of every connection at the info level.
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		return fmt.Errorf("cannot serve %s: %w", address, err)
	}
	return server.Run(ctx)
}
