# The map of what one can do here: `make help`.

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Node 24 comes as an npm package; the system's Node (20 or newer) only installs it.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

# The same for every Go command, so that each finds compiled what another has compiled. No C compiler is needed, and of
# FerretDB's backends only PostgreSQL is used: without SQLite there is less to fetch and to build. The Go worker needs no traces of
# gRPC: without them its program is 4 MB smaller.
export CGO_ENABLED := 0
export GOFLAGS := $(GOFLAGS) -trimpath -tags=ferretdb_no_sqlite,grpcnotrace

state := $(or $(TASKFLOW_STATE_DIR),.taskflow)
embedded := infra/embedded
manifests := package.json package-lock.json $(wildcard */package.json infra/*/package.json)
npm_stamp := node_modules/.installed
jvm_stamp := $(embedded)/jvm/lib/.installed
kafka_classes := $(embedded)/jvm/lib/kafka-classes.jsa
mongo_program := $(embedded)/bin/embedded-mongo
s3_program := $(embedded)/bin/embedded-s3
go_worker_program := go-workers/bin/go-worker
# A command of the embedded system, from source: it works whether or not the rest is built.
system = if [ -f $(npm_stamp) ]; then exec node --conditions=taskflow-source $(embedded)/src/$(1).ts; \
	else echo 'Nothing is installed yet: `make start` does it' >&2; exit 1; fi
go_folders = $(patsubst %/go.mod,%,$(wildcard */go.mod */*/go.mod */*/*/go.mod))

.PHONY: help
help: ## Show what one can do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##### Setting up

.PHONY: install
install: ## Install npm packages, Kafka, registry, Redis, PostgreSQL, MongoDB-wire and S3 servers (only what is missing)
	@sh scripts/prerequisites.sh
	@$(MAKE) --silent -j4 $(npm_stamp) $(jvm_stamp) $(kafka_classes) $(mongo_program) $(s3_program)

# The first time exactly what the lock file says; later only what has changed.
$(npm_stamp): $(manifests)
	@sh scripts/quietly.sh 'Installing npm packages' \
		npm $(if $(wildcard $(npm_stamp)),install,ci) --loglevel=error --no-progress --no-update-notifier
	@touch $@

$(jvm_stamp): $(embedded)/jvm/pom.xml
	@sh scripts/quietly.sh 'Fetching Kafka, schema registry and Redis with Maven' \
		mvn --batch-mode --quiet -Dstyle.color=never --file $< package
	@touch $@

# Kafka starts without it, too, only for more CPU time.
$(kafka_classes): $(jvm_stamp) | $(npm_stamp)
	@sh scripts/quietly.sh 'Archiving the classes of a running Kafka, for quicker starts' \
		node --conditions=taskflow-source $(embedded)/src/archiveClasses.ts || true

$(mongo_program): $(wildcard $(embedded)/mongo/*.go $(embedded)/mongo/go.*)
	@GOWORK=off sh scripts/quietly.sh 'Building the MongoDB-wire server with Go' \
		go build -C $(embedded)/mongo -ldflags='-s -w' -o ../bin/embedded-mongo .

$(s3_program): $(wildcard $(embedded)/s3/*.go $(embedded)/s3/go.*)
	@GOWORK=off sh scripts/quietly.sh 'Building the S3 server with Go' \
		go build -C $(embedded)/s3 -ldflags='-s -w' -o ../bin/embedded-s3 .

.PHONY: build
build: install $(go_worker_program) ## Compile everything (incremental)
	@sh scripts/quietly.sh 'Compiling TypeScript' tsc -b tsconfig.build.json

$(go_worker_program): go.work $(shell find go-workers schemas/go -type f -not -name '*_test.go' -not -path '*/bin/*')
	@CGO_ENABLED=0 sh scripts/quietly.sh 'Building the Go worker' \
		go build -C go-workers -ldflags='-s -w' -o bin/go-worker ./cmd/go-worker

.PHONY: generate
generate: install ## Write the types of schemas/avro and schemas/proto for TypeScript and Go
	@npm run --silent generate --workspace schemas

.PHONY: clean
clean: ## Stop the system, remove its data and everything built (installed packages stay)
	@$(call system,stop)
	@$(call system,clean)
	@rm -rf coverage dist */dist infra/*/dist go-workers/bin

##### Running

.PHONY: start
start: build ## Start the whole system; Ctrl-C stops it
	@$(call system,start)

.PHONY: stop
stop: ## Stop the system from another shell
	@$(call system,stop)

.PHONY: status
status: ## One line for each process: name, pid, state, port, memory
	@$(call system,status)

.PHONY: logs
logs: ## Follow the logs of all processes, or of one: make logs NAME=worker-1
	@exec tail -n 20 -F $(state)/logs/$(or $(NAME),*).log

.PHONY: demo
demo: build ## Scrape pages as the web has them, on a system of its own: follow the tasks live, see results and history
	@exec node --conditions=taskflow-source examples/demo/main.ts

.PHONY: bench
bench: build ## Measure throughput and latency; prints tables (make bench NAME=latency: only that)
	@exec node --conditions=taskflow-source --disable-warning=TimeoutNegativeWarning bench/src/main.ts $(NAME)

##### Checking

.PHONY: test
test: ## Run all checks and tests on a stack of their own; ends with "N passed, N failed"
	@$(MAKE) install || { echo "0 passed, 1 failed"; exit 1; }
	@exec node scripts/test/main.ts

.PHONY: lint
lint: install ## Check style, layers and types, in TypeScript and Go
	@node scripts/test/main.ts lint

.PHONY: format
format: install ## Rewrite the sources in the project's format
	@biome check --write .
	@gofmt -w $(go_folders)

.PHONY: unit
unit: install ## Run the unit tests (TypeScript and Go)
	@node scripts/test/main.ts unit

.PHONY: integration
integration: install ## Run the integration tests against a stack of their own
	@node scripts/test/main.ts integration

.PHONY: e2e
e2e: install ## Run the black-box tests of the whole system
	@node scripts/test/main.ts e2e

.PHONY: coverage
coverage: install ## Run unit and integration tests, and report which lines they reach, to coverage/
	@c8 node scripts/test/main.ts unit integration
	@node scripts/coverageBadge.ts
