package topics_test

import (
	"sync"
	"testing"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/kafkatest"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/topics"
	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func configOf(t *testing.T, client *kgo.Client, kind kmsg.ConfigResourceType, name string) map[string]string {
	t.Helper()
	request := kmsg.NewPtrDescribeConfigsRequest()
	resource := kmsg.NewDescribeConfigsRequestResource()
	resource.ResourceType, resource.ResourceName = kind, name
	request.Resources = append(request.Resources, resource)
	response, err := request.RequestWith(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, config := range response.Resources[0].Configs {
		if config.Value != nil {
			values[config.Name] = *config.Value
		}
	}
	return values
}

func partitionsOf(t *testing.T, client *kgo.Client, topic string) int {
	t.Helper()
	request := kmsg.NewPtrMetadataRequest()
	one := kmsg.NewMetadataRequestTopic()
	one.Topic = &topic
	request.Topics = append(request.Topics, one)
	response, err := request.RequestWith(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	return len(response.Topics[0].Partitions)
}

func TestIntegrationSeveralWorkersMakeATypesTopics(t *testing.T) {
	brokers := kafkatest.Brokers(t)
	name := kafkatest.Name("made")
	client := kafkatest.Client(t, brokers)
	var workers sync.WaitGroup
	for range 3 {
		workers.Go(func() {
			settings := topics.Settings{Lock: 20 * time.Second}
			if err := topics.Ensure(t.Context(), kafkatest.Client(t, brokers), name, settings, kafkatest.Logger()); err != nil {
				t.Error(err)
			}
		})
	}
	workers.Wait()
	for _, priority := range schemas.Priorities {
		if n := partitionsOf(t, client, schemas.QueueTopic(name, priority)); n != 1 {
			t.Errorf("the queue %s has %d partitions", priority, n)
		}
		if n := partitionsOf(t, client, schemas.EventsTopic(name, priority)); n != 3 {
			t.Errorf("the events %s have %d partitions", priority, n)
		}
		group := configOf(t, client, kmsg.ConfigResourceTypeGroupConfig, schemas.ShareGroup(name, priority))
		if group["share.auto.offset.reset"] != "earliest" || group["share.record.lock.duration.ms"] != "20000" ||
			group["share.delivery.count.limit"] != "10" || group["share.partition.max.record.locks"] != "10000" {
			t.Errorf("the group's configuration is %v", group)
		}
	}
	topic := configOf(t, client, kmsg.ConfigResourceTypeTopic, schemas.QueueTopic(name, "high"))
	if topic["message.timestamp.type"] != "LogAppendTime" || topic["retention.ms"] != "-1" || topic["cleanup.policy"] != "delete" {
		t.Errorf("the topic's configuration is %v", topic)
	}

	// more partitions, another retention, and a lock that the broker does not allow
	settings := topics.Settings{EventsPartitions: 4, RetentionMs: 86_400_000, Lock: time.Millisecond}
	if err := topics.Ensure(t.Context(), client, name, settings, kafkatest.Logger()); err != nil {
		t.Fatal(err)
	}
	events := schemas.EventsTopic(name, "low")
	if n := partitionsOf(t, client, events); n != 4 {
		t.Errorf("the events have %d partitions", n)
	}
	if retention := configOf(t, client, kmsg.ConfigResourceTypeTopic, events)["retention.ms"]; retention != "86400000" {
		t.Errorf("retention.ms is %s", retention)
	}
	group := configOf(t, client, kmsg.ConfigResourceTypeGroupConfig, schemas.ShareGroup(name, "low"))
	if group["share.record.lock.duration.ms"] != "1000" {
		t.Errorf("the lock is %s ms", group["share.record.lock.duration.ms"])
	}
}
