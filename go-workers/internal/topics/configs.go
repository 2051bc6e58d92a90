package topics

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// configs are the values in force of a topic, group or broker, by name.
type configs map[string]string

// settlePause lies between two questions whether a change is in force, settlePatience bounds them.
const (
	settlePause    = 20 * time.Millisecond
	settlePatience = 10 * time.Second
)

func readConfigs(ctx context.Context, client *kgo.Client, kind kmsg.ConfigResourceType, names []string) (map[string]configs, error) {
	all := map[string]configs{}
	for _, shard := range client.RequestSharded(ctx, describe(kind, names)) {
		if shard.Err != nil {
			return nil, fmt.Errorf("configuration of %v %v: %w", kind, names, shard.Err)
		}
		values, err := valuesIn(shard.Resp.(*kmsg.DescribeConfigsResponse), kind)
		if err != nil {
			return nil, err
		}
		maps.Copy(all, values)
	}
	return all, nil
}

func describe(kind kmsg.ConfigResourceType, names []string) *kmsg.DescribeConfigsRequest {
	request := kmsg.NewPtrDescribeConfigsRequest()
	for _, name := range names {
		resource := kmsg.NewDescribeConfigsRequestResource()
		resource.ResourceType, resource.ResourceName = kind, name
		request.Resources = append(request.Resources, resource)
	}
	return request
}

func valuesIn(response *kmsg.DescribeConfigsResponse, kind kmsg.ConfigResourceType) (map[string]configs, error) {
	all := map[string]configs{}
	for _, resource := range response.Resources {
		if err := kerr.ErrorForCode(resource.ErrorCode); err != nil {
			return nil, fmt.Errorf("configuration of %v %s: %w", kind, resource.ResourceName, err)
		}
		values := configs{}
		for _, config := range resource.Configs {
			values[config.Name] = ""
			if config.Value != nil {
				values[config.Name] = *config.Value
			}
		}
		all[resource.ResourceName] = values
	}
	return all, nil
}

// untilInForce waits until every broker goes by the values: a change is answered before brokers apply it, and a group that
// still read `latest` would pass over the first tasks of its type.
func untilInForce(ctx context.Context, client *kgo.Client, kind kmsg.ConfigResourceType, wanted map[string]map[string]string) error {
	ctx, cancel := context.WithTimeout(ctx, settlePatience)
	defer cancel()
	for {
		settled, err := inForce(ctx, client, kind, wanted)
		if err != nil || settled {
			return err
		}
		select {
		case <-time.After(settlePause):
		case <-ctx.Done():
			return fmt.Errorf("the new configuration of %v is not in force on every broker: %w", kind, kerr.RequestTimedOut)
		}
	}
}

func inForce(ctx context.Context, client *kgo.Client, kind kmsg.ConfigResourceType, wanted map[string]map[string]string) (bool, error) {
	names := slices.Sorted(maps.Keys(wanted))
	for _, broker := range client.DiscoveredBrokers() {
		response, err := describe(kind, names).RequestWith(ctx, broker)
		if err != nil {
			return false, fmt.Errorf("configuration of %v %v: %w", kind, names, err)
		}
		present, err := valuesIn(response, kind)
		if err != nil {
			return false, err
		}
		for name, values := range wanted {
			for key, value := range values {
				if present[name][key] != value {
					return false, nil
				}
			}
		}
	}
	return true, nil
}

// setConfigs sets the values that are not as wanted, and returns when every broker goes by them.
func setConfigs(ctx context.Context, client *kgo.Client, kind kmsg.ConfigResourceType, wanted map[string]map[string]string) error {
	if len(wanted) == 0 {
		return nil
	}
	present, err := readConfigs(ctx, client, kind, slices.Sorted(maps.Keys(wanted)))
	if err != nil {
		return err
	}
	request := kmsg.NewPtrIncrementalAlterConfigsRequest()
	for name, values := range wanted {
		resource := kmsg.NewIncrementalAlterConfigsRequestResource()
		resource.ResourceType, resource.ResourceName = kind, name
		for key, value := range values {
			if now, known := present[name][key]; known && now == value {
				continue
			}
			config := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
			config.Name, config.Value, config.Op = key, &value, kmsg.IncrementalAlterConfigOpSet
			resource.Configs = append(resource.Configs, config)
		}
		if len(resource.Configs) > 0 {
			request.Resources = append(request.Resources, resource)
		}
	}
	if len(request.Resources) == 0 {
		return untilInForce(ctx, client, kind, wanted) // another worker has just set it, perhaps
	}
	for _, shard := range client.RequestSharded(ctx, request) {
		if shard.Err != nil {
			return fmt.Errorf("setting the configuration of %v: %w", kind, shard.Err)
		}
		for _, resource := range shard.Resp.(*kmsg.IncrementalAlterConfigsResponse).Resources {
			if err := kerr.ErrorForCode(resource.ErrorCode); err != nil {
				return fmt.Errorf("setting the configuration of %v %s: %w", kind, resource.ResourceName, err)
			}
		}
	}
	return untilInForce(ctx, client, kind, wanted)
}

// bounded moves a number to the limits that a broker sets; a limit that is no number sets none.
func bounded(value string, low, high string) string {
	number, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return value
	}
	if limit, err := strconv.ParseInt(low, 10, 64); err == nil {
		number = max(number, limit)
	}
	if limit, err := strconv.ParseInt(high, 10, 64); err == nil {
		number = min(number, limit)
	}
	return strconv.FormatInt(number, 10)
}
