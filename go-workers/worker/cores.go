package worker

import "runtime"

// cores are what the process may keep busy: a container's limit counts.
func cores() int { return runtime.GOMAXPROCS(0) }
