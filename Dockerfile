# syntax=docker/dockerfile:1
# One file, one target a service: docker build --target api|projector|workers|setup .
FROM node:24-bookworm-slim AS manifests
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY schemas/package.json schemas/
COPY core/package.json core/
COPY log/package.json log/
COPY service/package.json service/
COPY api/package.json api/
COPY projector/package.json projector/
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
COPY workers workers
COPY infra infra
RUN npm run build

# What a service needs at run time and nothing else: no compiler, no tests, no embedded servers.
FROM manifests AS api-dependencies
RUN npm ci --ignore-scripts --omit=dev --workspace=@taskflow/api
FROM manifests AS projector-dependencies
RUN npm ci --ignore-scripts --omit=dev --workspace=@taskflow/projector
FROM manifests AS workers-dependencies
RUN npm ci --ignore-scripts --omit=dev --workspace=@taskflow/workers

FROM node:24-bookworm-slim AS runtime
WORKDIR /app
ENV NODE_ENV=production NODE_OPTIONS=--disable-warning=TimeoutNegativeWarning TASKFLOW_STATUS_HOST=0.0.0.0
# The contract and the shared packages, the same in every image.
COPY --from=build /app/package.json ./
COPY --from=build /app/schemas/package.json schemas/package.json
COPY --from=build /app/schemas/dist schemas/dist
COPY --from=build /app/core/package.json core/package.json
COPY --from=build /app/core/dist core/dist
COPY --from=build /app/log/package.json log/package.json
COPY --from=build /app/log/dist log/dist
COPY --from=build /app/service/package.json service/package.json
COPY --from=build /app/service/dist service/dist
COPY --from=build /app/service/migrations service/migrations
USER node
