// Package kafka connects to the cluster as the configuration says.
package kafka

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/config"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/sharequeue"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

const (
	connectTimeout = 5 * time.Second
	startTimeout   = 60 * time.Second
	retryPause     = 500 * time.Millisecond
	// metadataMinAge: a leader that is back is found again so soon, not after 5 s.
	metadataMinAge = 250 * time.Millisecond
)

// A Cluster is how to reach the brokers.
type Cluster struct {
	// Client is for metadata, coordination and administration.
	Client *kgo.Client
	// Options are what connections of share sessions need beside the dialer.
	Options []kgo.Opt
	Dial    sharequeue.Dialer
	seeds   []string
}

// DialerOf gives the dialer that a configuration asks for.
func DialerOf(c config.Config) sharequeue.Dialer {
	if c.TLS {
		return (&tls.Dialer{NetDialer: &net.Dialer{Timeout: connectTimeout}}).DialContext
	}
	return (&net.Dialer{Timeout: connectTimeout}).DialContext
}

// Connect waits while the brokers still start, and refuses those that lack share groups (Kafka 4.2).
func Connect(ctx context.Context, c config.Config, dial sharequeue.Dialer, logger *slog.Logger) (*Cluster, error) {
	cluster := &Cluster{Dial: dial, seeds: c.Brokers}
	cluster.Options = append(cluster.Options, kgo.ClientID("taskflow-"+c.WorkerName), kgo.DisableClientMetrics())
	switch c.SASLMechanism {
	case "plain":
		cluster.Options = append(cluster.Options, kgo.SASL(plain.Auth{User: c.Username, Pass: c.Password}.AsMechanism()))
	case "scram-sha-256":
		cluster.Options = append(cluster.Options, kgo.SASL(scram.Auth{User: c.Username, Pass: c.Password}.AsSha256Mechanism()))
	case "scram-sha-512":
		cluster.Options = append(cluster.Options, kgo.SASL(scram.Auth{User: c.Username, Pass: c.Password}.AsSha512Mechanism()))
	}
	client, err := cluster.NewClient()
	if err != nil {
		return nil, err
	}
	cluster.Client = client
	if err := cluster.waitUntilReady(ctx, logger); err != nil {
		client.Close()
		return nil, err
	}
	return cluster, nil
}

// NewClient gives a further client of the cluster, with these options.
func (cluster *Cluster) NewClient(options ...kgo.Opt) (*kgo.Client, error) {
	all := append(cluster.Options[:len(cluster.Options):len(cluster.Options)], kgo.SeedBrokers(cluster.seeds...),
		kgo.Dialer(cluster.Dial), kgo.MetadataMinAge(metadataMinAge))
	client, err := kgo.NewClient(append(all, options...)...)
	if err != nil {
		return nil, fmt.Errorf("client for Kafka: %w", err)
	}
	return client, nil
}

func (cluster *Cluster) waitUntilReady(ctx context.Context, logger *slog.Logger) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for attempt := 0; ; attempt++ {
		versions, err := kmsg.NewPtrApiVersionsRequest().RequestWith(ctx, cluster.Client)
		if err == nil {
			return requireShareGroups(versions)
		}
		if ctx.Err() != nil {
			return fmt.Errorf("no broker of %v answers: %w", cluster.seeds, err)
		}
		if attempt%10 == 0 {
			logger.Warn("no broker answers yet, trying again", "brokers", cluster.seeds, "error", err)
		}
		select {
		case <-time.After(retryPause):
		case <-ctx.Done():
		}
	}
}

// requireShareGroups: ShareFetch and ShareAcknowledge in version 2 have the record limit and renewals.
func requireShareGroups(versions *kmsg.ApiVersionsResponse) error {
	highest := map[int16]int16{}
	for _, one := range versions.ApiKeys {
		highest[one.ApiKey] = one.MaxVersion
	}
	for _, key := range []int16{(&kmsg.ShareFetchRequest{}).Key(), (&kmsg.ShareAcknowledgeRequest{}).Key()} {
		if version, known := highest[key]; !known || version < 2 {
			return fmt.Errorf("the broker has no share groups as needed (%s v2): Kafka 4.2 or newer, with share.version=1 or higher",
				kmsg.NameForKey(key))
		}
	}
	return nil
}
