package worker

// RunOver lets a test run a worker over a network with faults.
var RunOver = runOver
