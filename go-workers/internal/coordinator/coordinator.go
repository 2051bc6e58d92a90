// Package coordinator finds the broker that coordinates a group.
//
// franz-go does so by itself, and remembers what it has found until certain answers say otherwise. That a broker cannot be reached
// is none of them, and of a heartbeat to a share group no answer is: a member would ask a broker that is gone, or that
// coordinates the group no more, until its brokers are next refreshed (5 min), long after the group has removed it.
package coordinator

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

var errNotNamed = errors.New("the answer does not name it")

// Find asks any broker which one coordinates a group now.
func Find(ctx context.Context, client *kgo.Client, group string) (*kgo.Broker, error) {
	request := kmsg.NewPtrFindCoordinatorRequest()
	request.CoordinatorKeys = []string{group}
	response, err := request.RequestWith(ctx, client)
	if err == nil && len(response.Coordinators) == 0 {
		err = errNotNamed
	}
	if err == nil {
		err = kerr.ErrorForCode(response.Coordinators[0].ErrorCode)
	}
	if err != nil {
		return nil, fmt.Errorf("coordinator of group %s: %w", group, err)
	}
	return client.Broker(int(response.Coordinators[0].NodeID)), nil
}
