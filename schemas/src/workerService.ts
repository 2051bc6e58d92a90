/**
 * The gRPC service of workers, `proto/taskflow/worker/v1/worker.proto`, for clients on `@grpc/grpc-js`:
 * `loadPackageDefinition(fromJSON(workerServiceDescriptor, workerServiceOptions)) as unknown as WorkerServicePackage`, with
 * `fromJSON` of `@grpc/proto-loader`.
 */
export type { PreviewResponse__Output as PreviewResponse } from './generated/proto/taskflow/worker/v1/PreviewResponse.ts';
export type { TaskFailure__Output as TaskFailure } from './generated/proto/taskflow/worker/v1/TaskFailure.ts';
export type {
  WorkerServiceClient,
  WorkerServiceHandlers,
} from './generated/proto/taskflow/worker/v1/WorkerService.ts';
export type { ProtoGrpcType as WorkerServicePackage } from './generated/proto/worker.ts';
export { descriptor as workerServiceDescriptor } from './generated/proto/workerDescriptor.ts';

/** How the values have to be read for the types to fit. */
export const workerServiceOptions = { longs: Number, defaults: true, oneofs: true } as const;
