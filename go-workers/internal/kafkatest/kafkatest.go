// Package kafkatest gives tests queues on a real broker: the one that TASKFLOW_KAFKA_BROKERS names (`make test` starts one), or
// one of the test's own that it may kill.
package kafkatest

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/coordinator"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Brokers are those of the stack for tests. Without one the test is skipped.
func Brokers(t testing.TB) []string {
	t.Helper()
	brokers := os.Getenv("TASKFLOW_KAFKA_BROKERS")
	if brokers == "" {
		t.Skip("TASKFLOW_KAFKA_BROKERS is not set: integration tests need a running broker (make integration)")
	}
	return strings.Split(brokers, ",")
}

// RegistryURL is the schema registry of the stack for tests. Without one the test is skipped.
func RegistryURL(t testing.TB) string {
	t.Helper()
	url := os.Getenv("TASKFLOW_REGISTRY_URL")
	if url == "" {
		t.Skip("TASKFLOW_REGISTRY_URL is not set: integration tests need a schema registry (make integration)")
	}
	return url
}

// Client connects to brokers until the test ends.
func Client(t testing.TB, brokers []string, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.DisableClientMetrics(),
	}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// Name is one that no other test has.
func Name(prefix string) string { return prefix + "_" + strings.ToLower(rand.Text()[:10]) }

// Logger is silent unless TASKFLOW_TEST_LOG is set.
func Logger() *slog.Logger {
	if os.Getenv("TASKFLOW_TEST_LOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// A Queue is a topic and the share group that reads it.
type Queue struct{ Topic, Group string }

// QueueOptions of a queue for a test.
type QueueOptions struct {
	// Partitions: 1 unless set; with -1 the topic is not created.
	Partitions int
	// Lock: 15 s unless set.
	Lock time.Duration
	// Deliveries: 10 unless set.
	Deliveries int
}

// NewQueue makes a queue of its own name.
func NewQueue(t testing.TB, client *kgo.Client, options QueueOptions) Queue {
	t.Helper()
	name := Name("test.queue")
	queue := Queue{Topic: name, Group: "group." + name}
	if options.Partitions == 0 {
		options.Partitions = 1
	}
	if options.Partitions > 0 {
		CreateTopic(t, client, queue.Topic, options.Partitions)
	}
	if options.Lock == 0 {
		options.Lock = 15 * time.Second
	}
	if options.Deliveries == 0 {
		options.Deliveries = 10
	}
	configureGroup(t, client, queue.Group, map[string]string{
		"share.auto.offset.reset":       "earliest",
		"share.record.lock.duration.ms": strconv.FormatInt(options.Lock.Milliseconds(), 10),
		"share.delivery.count.limit":    strconv.Itoa(options.Deliveries),
	})
	return queue
}

// EnsureTopic makes a topic unless it exists.
func EnsureTopic(t testing.TB, client *kgo.Client, name string, partitions int) {
	t.Helper()
	createTopic(t, client, name, partitions, kerr.TopicAlreadyExists)
}

// CreateTopic makes a topic that has leaders when it returns.
func CreateTopic(t testing.TB, client *kgo.Client, name string, partitions int) {
	t.Helper()
	createTopic(t, client, name, partitions, nil)
}

func createTopic(t testing.TB, client *kgo.Client, name string, partitions int, accepted error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	request := kmsg.NewPtrCreateTopicsRequest()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, int32(partitions), 1
	request.Topics = append(request.Topics, topic)
	request.TimeoutMillis = 10_000
	response, err := request.RequestWith(ctx, client)
	if err == nil {
		err = kerr.ErrorForCode(response.Topics[0].ErrorCode)
	}
	if err != nil && !errors.Is(err, accepted) {
		t.Fatalf("topic %s: %v", name, err)
	}
	metadata := kmsg.NewPtrMetadataRequest()
	one := kmsg.NewMetadataRequestTopic()
	one.Topic = &name
	metadata.Topics = append(metadata.Topics, one)
	Until(t, "topic "+name+" has leaders", func() bool {
		response, err := metadata.RequestWith(ctx, client)
		if err != nil || kerr.ErrorForCode(response.Topics[0].ErrorCode) != nil {
			return false
		}
		for _, partition := range response.Topics[0].Partitions {
			if partition.Leader < 0 {
				return false
			}
		}
		return true
	})
}

// DeleteTopic removes a topic.
func DeleteTopic(t testing.TB, client *kgo.Client, name string) {
	t.Helper()
	request := kmsg.NewPtrDeleteTopicsRequest()
	topic := kmsg.NewDeleteTopicsRequestTopic()
	topic.Topic = &name
	request.Topics, request.TopicNames = append(request.Topics, topic), []string{name}
	request.TimeoutMillis = 10_000
	response, err := request.RequestWith(t.Context(), client)
	if err == nil {
		err = kerr.ErrorForCode(response.Topics[0].ErrorCode)
	}
	if err != nil {
		t.Fatalf("deletion of topic %s: %v", name, err)
	}
}

func configureGroup(t testing.TB, client *kgo.Client, group string, values map[string]string) {
	t.Helper()
	configure(t, client, kmsg.ConfigResourceTypeGroupConfig, group, values)
}

// Configure sets a value of a topic.
func Configure(t testing.TB, client *kgo.Client, topic, name, value string) {
	t.Helper()
	configure(t, client, kmsg.ConfigResourceTypeTopic, topic, map[string]string{name: value})
}

func configure(t testing.TB, client *kgo.Client, kind kmsg.ConfigResourceType, of string, values map[string]string) {
	t.Helper()
	request := kmsg.NewPtrIncrementalAlterConfigsRequest()
	resource := kmsg.NewIncrementalAlterConfigsRequestResource()
	resource.ResourceType, resource.ResourceName = kind, of
	for name, value := range values {
		config := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		config.Name, config.Value = name, &value
		resource.Configs = append(resource.Configs, config)
	}
	request.Resources = append(request.Resources, resource)
	response, err := request.RequestWith(t.Context(), client)
	if err == nil {
		err = kerr.ErrorForCode(response.Resources[0].ErrorCode)
	}
	if err != nil {
		t.Fatalf("configuration of %s: %v", of, err)
	}
}

// Produce appends values to partition 0 of a topic in one batch.
func Produce(t testing.TB, client *kgo.Client, topic string, values ...string) {
	t.Helper()
	records := make([]*kgo.Record, len(values))
	for i, value := range values {
		records[i] = &kgo.Record{Topic: topic, Key: []byte("key-" + strconv.Itoa(i)), Value: []byte(value)}
	}
	if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatalf("producing to %s: %v", topic, err)
	}
}

// EndOffset is the offset after the last record of partition 0 of a topic.
func EndOffset(t testing.TB, client *kgo.Client, topic string) int64 {
	t.Helper()
	request := kmsg.NewPtrListOffsetsRequest()
	one := kmsg.NewListOffsetsRequestTopic()
	partition := kmsg.NewListOffsetsRequestTopicPartition()
	partition.Timestamp = -1
	one.Topic, one.Partitions = topic, append(one.Partitions, partition)
	request.Topics = append(request.Topics, one)
	response, err := request.RequestWith(t.Context(), client)
	if err == nil {
		err = kerr.ErrorForCode(response.Topics[0].Partitions[0].ErrorCode)
	}
	if err != nil {
		t.Fatalf("end of topic %s: %v", topic, err)
	}
	return response.Topics[0].Partitions[0].Offset
}

// Lag says how many records of partition 0 a share group has not settled yet; -1 while it has not begun.
func Lag(t testing.TB, client *kgo.Client, group, topic string) int64 {
	t.Helper()
	request := kmsg.NewPtrDescribeShareGroupOffsetsRequest()
	described := kmsg.NewDescribeShareGroupOffsetsRequestGroup()
	one := kmsg.NewDescribeShareGroupOffsetsRequestGroupTopic()
	one.Topic, one.Partitions = topic, []int32{0}
	described.GroupID, described.Topics = group, append(described.Topics, one)
	request.Groups = append(request.Groups, described)
	coordinating, err := coordinator.Find(t.Context(), client, group)
	if err != nil {
		return -1
	}
	response, err := request.RequestWith(t.Context(), coordinating)
	if err != nil || len(response.Groups) == 0 || response.Groups[0].ErrorCode != 0 {
		return -1 // a coordinator that moves, or starts
	}
	return response.Groups[0].Topics[0].Partitions[0].Lag
}

// Until waits for a condition; the test fails where it does not come true within a minute.
func Until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}
