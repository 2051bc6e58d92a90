// Package config reads what a Go worker is told by its environment: the same variables as the TypeScript workers
// (workers/src/config.ts; docs/configuration.md lists them). An empty variable counts as unset.
package config

import (
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/blobs"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/protocol"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/safefetch"
)

// A Config is the environment's, checked.
type Config struct {
	Brokers       []string
	TLS           bool
	SASLMechanism string // none, plain, scram-sha-256 or scram-sha-512
	Username      string
	Password      string
	RegistryURL   string

	LogLevel    slog.Level
	StatusAddr  string
	StopTimeout time.Duration

	EventsPartitions, QueuePartitions    int
	ReplicationFactor, MinInSyncReplicas int
	RetentionMs                          int64

	WorkerName string
	TaskTypes  []string
	TestTypes  bool
	// SlotsOfEach is 0 where not set; SlotsByType are those set for a type.
	SlotsOfEach int
	SlotsByType map[string]int
	FetchAllow  safefetch.AllowList
	Blobs       blobs.Config
	Grace       time.Duration
	// StuckExit: a worker that has nothing in hand and whose queues have not answered for so long ends.
	StuckExit time.Duration
	// Protocol are its values; the lock is three times as long as the time between two renewals.
	Protocol protocol.Values

	GRPCAddr string
	// PreviewSlots are how many previews run at once.
	PreviewSlots int
}

var (
	brokerPattern = regexp.MustCompile(`^[^\s:]+:\d{1,5}$`)
	namePattern   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$`)
	slotPattern   = regexp.MustCompile(`^(?:([a-z][a-z0-9_]*)=)?([1-9]\d{0,4})$`)
)

// Read checks all variables. The error is one line that names the first that is wrong.
func Read(getenv func(string) string) (Config, error) {
	r := reader{getenv: getenv}
	config := Config{
		Brokers: r.list("TASKFLOW_KAFKA_BROKERS", "127.0.0.1:29092", func(broker string) bool { return brokerPattern.MatchString(broker) },
			"must be a comma-separated list of host:port"),
		TLS:           r.flag("TASKFLOW_KAFKA_TLS", "false"),
		SASLMechanism: r.oneOf("TASKFLOW_KAFKA_SASL_MECHANISM", "none", "none", "plain", "scram-sha-256", "scram-sha-512"),
		Username:      r.getenv("TASKFLOW_KAFKA_USERNAME"),
		Password:      r.getenv("TASKFLOW_KAFKA_PASSWORD"),
		RegistryURL:   r.url("TASKFLOW_REGISTRY_URL", "http://127.0.0.1:28081/apis/ccompat/v7"),
		StopTimeout:   r.milliseconds("TASKFLOW_STOP_TIMEOUT_MS", 15_000, 100, 3_600_000),

		EventsPartitions:  int(r.integer("TASKFLOW_PARTITIONS", 3, 1, 1_000)),
		QueuePartitions:   int(r.integer("TASKFLOW_QUEUE_PARTITIONS", 1, 1, 1_000)),
		ReplicationFactor: int(r.integer("TASKFLOW_REPLICATION_FACTOR", 1, 1, 99)),
		MinInSyncReplicas: int(r.integer("TASKFLOW_MIN_INSYNC_REPLICAS", 1, 1, 99)),
		RetentionMs:       r.integer("TASKFLOW_RETENTION_MS", -1, -1, 1<<53-1),

		WorkerName: r.text("TASKFLOW_WORKER_NAME", "go-worker", namePattern, "must be letters, digits, - and _, at most 63"),
		TaskTypes:  r.list("TASKFLOW_TASK_TYPES", "", nil, ""),
		TestTypes:  r.flag("TASKFLOW_TEST_TYPES", "true"),
		Grace:      r.milliseconds("TASKFLOW_STOP_GRACE_MS", 10_000, 0, 3_600_000),
		StuckExit:  r.milliseconds("TASKFLOW_STUCK_EXIT_MS", 300_000, 30_000, 86_400_000),
		Protocol:   r.protocol(),
	}
	_ = config.LogLevel.UnmarshalText([]byte(r.oneOf("TASKFLOW_LOG_LEVEL", "info", "error", "warn", "info", "debug")))
	host := r.text("TASKFLOW_STATUS_HOST", "127.0.0.1", nil, "")
	config.StatusAddr = fmt.Sprintf("%s:%d", host, r.integer("TASKFLOW_STATUS_PORT", 0, 0, 65_535))
	grpcHost := r.text("TASKFLOW_GRPC_HOST", "127.0.0.1", nil, "")
	config.GRPCAddr = fmt.Sprintf("%s:%d", grpcHost, r.integer("TASKFLOW_GRPC_PORT", 0, 0, 65_535))
	config.PreviewSlots = int(r.integer("TASKFLOW_PREVIEW_SLOTS", 4, 1, 10_000))
	config.SlotsOfEach, config.SlotsByType = r.slots("TASKFLOW_SLOTS")
	config.FetchAllow = r.allowList("TASKFLOW_FETCH_ALLOW")
	config.Blobs = r.blobs()
	return config, r.err
}

// A reader remembers the first wrong variable.
type reader struct {
	getenv func(string) string
	err    error
}

func (r *reader) wrong(variable, what string) {
	if r.err == nil {
		r.err = fmt.Errorf("%s %s", variable, what)
	}
}

func (r *reader) valueOr(variable, otherwise string) string {
	if value := r.getenv(variable); value != "" {
		return value
	}
	return otherwise
}

func (r *reader) text(variable, otherwise string, pattern *regexp.Regexp, what string) string {
	value := r.valueOr(variable, otherwise)
	if pattern != nil && !pattern.MatchString(value) {
		r.wrong(variable, what)
	}
	return value
}

func (r *reader) integer(variable string, otherwise, low, high int64) int64 {
	value, err := strconv.ParseInt(r.valueOr(variable, strconv.FormatInt(otherwise, 10)), 10, 64)
	if err != nil || value < low || value > high {
		r.wrong(variable, fmt.Sprintf("must be a whole number from %d to %d", low, high))
	}
	return value
}

func (r *reader) milliseconds(variable string, otherwise, low, high int64) time.Duration {
	return time.Duration(r.integer(variable, otherwise, low, high)) * time.Millisecond
}

// protocol reads its values: the names are those of workers/src/protocolSettings.ts.
func (r *reader) protocol() protocol.Values {
	const hour = 3_600_000
	values := protocol.Defaults
	values.RenewEveryMs = r.integer("TASKFLOW_LOCK_RENEW_MS", values.RenewEveryMs, 100, 600_000)
	values.LockMs = 3 * values.RenewEveryMs
	values.HandOverAfterMs = r.integer("TASKFLOW_HAND_OVER_AFTER_MS", values.HandOverAfterMs, 100, hour)
	values.LeaseMs = r.integer("TASKFLOW_LEASE_MS", values.LeaseMs, 1_000, hour)
	values.MaxRecordLocks = r.integer("TASKFLOW_MAX_RECORD_LOCKS", values.MaxRecordLocks, 100, 1_000_000)
	values.LookAgainMs = r.integer("TASKFLOW_LOOK_AGAIN_MS", values.LookAgainMs, 0, 60_000)
	values.LookAgainAfterForgottenMs = r.integer("TASKFLOW_LOOK_AGAIN_AFTER_RESTART_MS", values.LookAgainAfterForgottenMs, 0, 60_000)
	values.AloneFromStart = int32(r.integer("TASKFLOW_ALONE_FROM_START", int64(values.AloneFromStart), 2, 1_000))
	values.MaxStarts = int32(r.integer("TASKFLOW_MAX_STARTS", int64(values.MaxStarts), 1, 1_000))
	values.GiveBackAtDelivery = int32(r.integer("TASKFLOW_GIVE_BACK_AT_DELIVERY", int64(values.GiveBackAtDelivery), 3, 9))
	values.CopyMarginMs = r.integer("TASKFLOW_COPY_MARGIN_MS", values.CopyMarginMs, 0, 24*hour)
	values.BrokerClockSkewMs = r.integer("TASKFLOW_BROKER_CLOCK_SKEW_MS", values.BrokerClockSkewMs, 0, hour)
	return values
}

func (r *reader) oneOf(variable, otherwise string, values ...string) string {
	value := r.valueOr(variable, otherwise)
	for _, one := range values {
		if value == one {
			return value
		}
	}
	r.wrong(variable, "must be one of "+strings.Join(values, ", "))
	return otherwise
}

func (r *reader) flag(variable, otherwise string) bool {
	return r.oneOf(variable, otherwise, "true", "false") == "true"
}

func (r *reader) list(variable, otherwise string, valid func(string) bool, what string) []string {
	var words []string
	for part := range strings.SplitSeq(r.valueOr(variable, otherwise), ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		if valid != nil && !valid(part) {
			r.wrong(variable, what)
		}
		words = append(words, part)
	}
	if valid != nil && len(words) == 0 {
		r.wrong(variable, what)
	}
	return words
}

func (r *reader) url(variable, otherwise string) string {
	value := strings.TrimRight(r.valueOr(variable, otherwise), "/")
	if parsed, err := url.Parse(value); err != nil || parsed.Host == "" || parsed.Scheme != "http" && parsed.Scheme != "https" {
		r.wrong(variable, "must be a URL that begins with http:// or https://")
	}
	return value
}

func (r *reader) slots(variable string) (ofEach int, byType map[string]int) {
	byType = map[string]int{}
	for _, part := range r.list(variable, "", nil, "") {
		match := slotPattern.FindStringSubmatch(part)
		if match == nil {
			r.wrong(variable, "must be a number, or type=number, separated by commas: 64,noop=1000")
			continue
		}
		count, _ := strconv.Atoi(match[2])
		if match[1] == "" {
			ofEach = count
		} else {
			byType[match[1]] = count
		}
	}
	return ofEach, byType
}

func (r *reader) allowList(variable string) safefetch.AllowList {
	list, err := safefetch.ParseAllowList(r.getenv(variable))
	if err != nil {
		r.wrong(variable, ": "+err.Error())
	}
	return list
}

var bucketPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

func (r *reader) blobs() blobs.Config {
	return blobs.Config{
		URL:       r.url("TASKFLOW_S3_URL", "http://127.0.0.1:29000"),
		Region:    r.text("TASKFLOW_S3_REGION", "us-east-1", nil, ""),
		Bucket:    r.text("TASKFLOW_S3_BUCKET", "taskflow", bucketPattern, "must be 3 to 63 lower-case letters, digits, - and ."),
		AccessKey: r.text("TASKFLOW_S3_ACCESS_KEY", "taskflow", nil, ""),
		SecretKey: r.text("TASKFLOW_S3_SECRET_KEY", "taskflow-local", nil, ""),
		PathStyle: r.flag("TASKFLOW_S3_PATH_STYLE", "true"),
		MaxBytes:  r.integer("TASKFLOW_MAX_BLOB_BYTES", 1<<30, 65_536, 50_000_000_000),
		KeepDays:  int(r.integer("TASKFLOW_RESULT_BLOB_KEEP_DAYS", 30, 1, 3_650)),
	}
}
