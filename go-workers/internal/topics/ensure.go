package topics

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	brokerTimeoutMs = 10_000
	// patience is how long to try while the cluster is not ready.
	patience   = 60 * time.Second
	retryPause = 300 * time.Millisecond
)

// Ensure makes all that a task type needs in Kafka: creates missing topics, adds partitions where there are fewer (never removes
// any), sets settings that differ, and configures its share groups. It returns when all topics have leaders. Idempotent: every
// worker does it when it starts, also several at once.
func Ensure(ctx context.Context, client *kgo.Client, taskType string, settings Settings, logger *slog.Logger) error {
	definitions := ofType(taskType, settings)
	if err := patiently(ctx, func() error { return ensureTopics(ctx, client, definitions) }); err != nil {
		return fmt.Errorf("topics of type %s: %w", taskType, err)
	}
	if err := patiently(ctx, func() error { return configureShareGroups(ctx, client, taskType, settings, logger) }); err != nil {
		return fmt.Errorf("share groups of type %s: %w", taskType, err)
	}
	return nil
}

// patiently repeats work while its error may pass.
func patiently(ctx context.Context, work func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := work()
		var answered *kerr.Error
		if err == nil || ctx.Err() != nil || errors.As(err, &answered) && !answered.Retriable {
			return err
		}
		select {
		case <-time.After(retryPause):
		case <-ctx.Done():
			return err
		}
	}
}

func ensureTopics(ctx context.Context, client *kgo.Client, definitions []definition) error {
	present, err := partitionsOf(ctx, client, definitions)
	if err != nil {
		return err
	}
	if err := create(ctx, client, definitions, present); err != nil {
		return err
	}
	if err := grow(ctx, client, definitions, present); err != nil {
		return err
	}
	wanted := map[string]map[string]string{}
	for _, one := range definitions {
		if present[one.name] != nil {
			wanted[one.name] = one.config
		}
	}
	if err := setConfigs(ctx, client, kmsg.ConfigResourceTypeTopic, wanted); err != nil {
		return err
	}
	now, err := partitionsOf(ctx, client, definitions)
	if err != nil {
		return err
	}
	for _, one := range definitions {
		led := 0
		for _, partition := range now[one.name] {
			if partition.Leader >= 0 {
				led++
			}
		}
		if led < int(one.partitions) {
			return fmt.Errorf("topic %s: %d of %d partitions have a leader: %w", one.name, led, one.partitions, kerr.LeaderNotAvailable)
		}
	}
	return nil
}

func create(ctx context.Context, client *kgo.Client, definitions []definition, present map[string]partitions) error {
	request := kmsg.NewPtrCreateTopicsRequest()
	request.TimeoutMillis = brokerTimeoutMs
	for _, one := range definitions {
		if present[one.name] != nil {
			continue
		}
		topic := kmsg.NewCreateTopicsRequestTopic()
		topic.Topic, topic.NumPartitions, topic.ReplicationFactor = one.name, one.partitions, one.replicationFactor
		for key, value := range one.config {
			config := kmsg.NewCreateTopicsRequestTopicConfig()
			config.Name, config.Value = key, &value
			topic.Configs = append(topic.Configs, config)
		}
		request.Topics = append(request.Topics, topic)
	}
	if len(request.Topics) == 0 {
		return nil
	}
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		return fmt.Errorf("creation of topics: %w", err)
	}
	for _, topic := range response.Topics {
		if err := outcome("creation", topic.Topic, topic.ErrorCode, topic.ErrorMessage, kerr.TopicAlreadyExists); err != nil {
			return err
		}
	}
	return nil
}

func grow(ctx context.Context, client *kgo.Client, definitions []definition, present map[string]partitions) error {
	request := kmsg.NewPtrCreatePartitionsRequest()
	request.TimeoutMillis = brokerTimeoutMs
	for _, one := range definitions {
		if has := len(present[one.name]); has > 0 && has < int(one.partitions) {
			topic := kmsg.NewCreatePartitionsRequestTopic()
			topic.Topic, topic.Count = one.name, one.partitions
			request.Topics = append(request.Topics, topic)
		}
	}
	if len(request.Topics) == 0 {
		return nil
	}
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		return fmt.Errorf("more partitions: %w", err)
	}
	for _, topic := range response.Topics {
		// INVALID_PARTITIONS: another process was faster. The wait for leaders sees whether there are enough now.
		if err := outcome("more partitions", topic.Topic, topic.ErrorCode, topic.ErrorMessage, kerr.InvalidPartitions); err != nil {
			return err
		}
	}
	return nil
}

func outcome(what, topic string, code int16, message *string, accepted error) error {
	err := kerr.ErrorForCode(code)
	if err == nil || errors.Is(err, accepted) {
		return nil
	}
	if message != nil {
		err = fmt.Errorf("%w: %s", err, *message)
	}
	return fmt.Errorf("%s of topic %s: %w", what, topic, err)
}

type partitions = []kmsg.MetadataResponseTopicPartition

// partitionsOf gives the topics that exist.
func partitionsOf(ctx context.Context, client *kgo.Client, definitions []definition) (map[string]partitions, error) {
	request := kmsg.NewPtrMetadataRequest()
	for _, one := range definitions {
		topic := kmsg.NewMetadataRequestTopic()
		topic.Topic = &one.name
		request.Topics = append(request.Topics, topic)
	}
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		return nil, fmt.Errorf("metadata of topics: %w", err)
	}
	found := map[string]partitions{}
	for _, topic := range response.Topics {
		err := kerr.ErrorForCode(topic.ErrorCode)
		if err != nil && !errors.Is(err, kerr.UnknownTopicOrPartition) {
			return nil, fmt.Errorf("metadata of topic %s: %w", *topic.Topic, err)
		}
		if err == nil {
			found[*topic.Topic] = topic.Partitions
		}
	}
	return found, nil
}

// configureShareGroups (KIP-932) for all priorities. A value outside of what the broker allows is moved to its limit, and logged;
// a setting that the broker does not know (an older one) is left out.
func configureShareGroups(ctx context.Context, client *kgo.Client, taskType string, settings Settings, logger *slog.Logger) error {
	groups := make([]string, len(schemas.Priorities))
	for i, priority := range schemas.Priorities {
		groups[i] = schemas.ShareGroup(taskType, priority)
	}
	values, bounds := shareGroupConfig(settings)
	known, err := readConfigs(ctx, client, kmsg.ConfigResourceTypeGroupConfig, groups[:1])
	if err != nil {
		return err
	}
	metadata, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, client)
	if err != nil {
		return fmt.Errorf("brokers of the cluster: %w", err)
	}
	broker := strconv.Itoa(int(metadata.Brokers[0].NodeID))
	allowed, err := readConfigs(ctx, client, kmsg.ConfigResourceTypeBroker, []string{broker})
	if err != nil {
		return err
	}
	for key, value := range values {
		if _, ok := known[groups[0]][key]; !ok {
			delete(values, key)
			continue
		}
		limits := bounds[key]
		values[key] = bounded(value, allowed[broker][limits[0]], allowed[broker][limits[1]])
		if values[key] != value {
			logger.Warn("the broker does not allow a setting of a share group, so it is at the limit",
				"type", taskType, "setting", key, "wanted", value, "set", values[key])
		}
	}
	wanted := map[string]map[string]string{}
	for _, group := range groups {
		wanted[group] = values
	}
	return setConfigs(ctx, client, kmsg.ConfigResourceTypeGroupConfig, wanted)
}
