package worker_test

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func stopOnSignal(stop context.CancelFunc) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	<-signals
	stop()
}
