# syntax=docker/dockerfile:1
# One file, one target a service: docker build --target api|projector|orchestrator|workers|go-workers|setup .
# The Node.js options are those that the starter gives: docs/decisions/0054 and 0138 say why.
FROM node:24-bookworm-slim AS manifests
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY schemas/package.json schemas/
COPY core/package.json core/
COPY log/package.json log/
COPY service/package.json service/
COPY api/package.json api/
COPY projector/package.json projector/
COPY orchestrator/package.json orchestrator/
COPY workers/package.json workers/
COPY infra/kafka/package.json infra/kafka/
COPY infra/embedded/package.json infra/embedded/
COPY bench/package.json bench/
COPY e2e/package.json e2e/

FROM manifests AS build
RUN npm ci --ignore-scripts
COPY tsconfig.base.json tsconfig.build.json ./
COPY schemas schemas
COPY core core
COPY log log
COPY service service
COPY api api
COPY projector projector
COPY orchestrator orchestrator
COPY workers workers
COPY infra infra
RUN npm run build

# What a service needs at run time and nothing else: no compiler, no tests, no embedded servers.
FROM manifests AS setup-dependencies
RUN npm ci --ignore-scripts --omit=dev --workspace=@taskflow/service --workspace=@taskflow/kafka
FROM manifests AS projector-dependencies
RUN npm ci --ignore-scripts --omit=dev --workspace=@taskflow/projector
FROM manifests AS orchestrator-dependencies
RUN npm ci --ignore-scripts --omit=dev --workspace=@taskflow/orchestrator
FROM manifests AS workers-dependencies
RUN npm ci --ignore-scripts --omit=dev --workspace=@taskflow/workers
FROM manifests AS api-dependencies
RUN npm ci --ignore-scripts --omit=dev --workspace=@taskflow/api

FROM node:24-bookworm-slim AS runtime
WORKDIR /app
ENV NODE_ENV=production \
    NODE_OPTIONS="--disable-warning=TimeoutNegativeWarning --max-semi-space-size=16"
COPY package.json ./
COPY --from=build /app/schemas/package.json schemas/
COPY --from=build /app/schemas/dist schemas/dist
COPY --from=build /app/core/package.json core/
COPY --from=build /app/core/dist core/dist
COPY --from=build /app/log/package.json log/
COPY --from=build /app/log/dist log/dist
COPY --from=build /app/service/package.json service/
COPY --from=build /app/service/dist service/dist
COPY docker/ docker/
USER node

# Creates topics, registers schemas, migrates the database, makes the bucket; ends by itself.
FROM runtime AS setup
COPY --from=setup-dependencies /app/node_modules node_modules
COPY --from=build /app/infra/kafka/package.json infra/kafka/
COPY --from=build /app/infra/kafka/dist infra/kafka/dist
COPY service/migrations service/migrations
COPY api/migrations api/migrations
COPY projector/migrations projector/migrations
COPY orchestrator/migrations orchestrator/migrations
CMD ["sh", "-c", "node infra/kafka/dist/setUp.js && node service/dist/migrate.js && exec node service/dist/makeBucket.js"]

FROM runtime AS projector
ENV TASKFLOW_STATUS_HOST=0.0.0.0 TASKFLOW_STATUS_PORT=9100
COPY --from=projector-dependencies /app/node_modules node_modules
COPY --from=build /app/projector/package.json projector/
COPY --from=build /app/projector/dist projector/dist
EXPOSE 9100
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=6 CMD ["node", "docker/healthcheck.js", "9100"]
CMD ["node", "--heap-growing-percent=100", "projector/dist/main.js"]

FROM runtime AS orchestrator
ENV TASKFLOW_STATUS_HOST=0.0.0.0 TASKFLOW_STATUS_PORT=9100
COPY --from=orchestrator-dependencies /app/node_modules node_modules
COPY --from=build /app/orchestrator/package.json orchestrator/
COPY --from=build /app/orchestrator/dist orchestrator/dist
EXPOSE 9100
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=6 CMD ["node", "docker/healthcheck.js", "9100"]
CMD ["node", "--heap-growing-percent=150", "orchestrator/dist/main.js"]

FROM runtime AS workers
ENV TASKFLOW_STATUS_HOST=0.0.0.0 TASKFLOW_STATUS_PORT=9100
COPY --from=workers-dependencies /app/node_modules node_modules
COPY --from=build /app/workers/package.json workers/
COPY --from=build /app/workers/dist workers/dist
EXPOSE 9100
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=6 CMD ["node", "docker/healthcheck.js", "9100"]
CMD ["node", "--heap-growing-percent=150", "workers/dist/main.js"]

FROM runtime AS api
ENV TASKFLOW_API_HOST=0.0.0.0 TASKFLOW_API_PORT=8080
COPY --from=api-dependencies /app/node_modules node_modules
COPY --from=build /app/api/package.json api/
COPY --from=build /app/api/dist api/dist
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=6 CMD ["node", "docker/healthcheck.js", "8080"]
CMD ["node", "--heap-growing-percent=150", "api/dist/main.js"]

FROM golang:1.26-alpine AS go-build
ENV CGO_ENABLED=0 GOWORK=off GOFLAGS='-trimpath -tags=grpcnotrace'
WORKDIR /src
COPY schemas/go/go.mod schemas/go/go.sum schemas/go/
COPY go-workers/go.mod go-workers/go.sum go-workers/
RUN cd go-workers && go mod download
COPY schemas/go schemas/go
COPY go-workers go-workers
RUN go build -C go-workers -ldflags='-s -w' -o /go-worker ./cmd/go-worker

FROM alpine:3.22 AS go-workers
ENV TASKFLOW_STATUS_HOST=0.0.0.0 TASKFLOW_STATUS_PORT=9100 \
    TASKFLOW_GRPC_HOST=0.0.0.0 TASKFLOW_GRPC_PORT=9300
COPY --from=go-build /go-worker /usr/local/bin/go-worker
USER nobody
EXPOSE 9100 9300
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=6 \
    CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:9100/readyz"]
CMD ["go-worker"]
