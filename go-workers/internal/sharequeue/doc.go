// Package sharequeue takes records from a queue: a topic that is read by a share group (KIP-932). The broker locks each
// record for the consumer it hands it to, and hands it to another one when it is released, when its lock ends, or when the
// consumer's session is lost.
//
// franz-go's own share consumer accepts with each poll whatever of the last one was not acknowledged, which does not fit
// tasks that end in any order: this package drives the protocol's messages (ShareGroupHeartbeat, ShareFetch,
// ShareAcknowledge) itself, with one member for each process and group, and one session for each broker that leads
// partitions of the queue. It is the counterpart of log/src/queueConsumer.ts.
package sharequeue
