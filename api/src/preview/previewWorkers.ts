import { credentials, loadPackageDefinition, type ServiceError } from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import {
  type PreviewResponse,
  type WorkerServiceClient,
  type WorkerServicePackage,
  workerServiceDescriptor,
  workerServiceOptions,
} from '@taskflow/schemas/workerService';
import type { PreviewTarget } from './previewTarget.ts';

export interface PreviewCall {
  readonly type: string;
  /** JSON text. */
  readonly payload: string;
  readonly userId: string;
  readonly deadlineMs: number;
  /** Aborted when nobody waits for the answer any more: then the handler is told to stop. */
  readonly signal: AbortSignal;
}

/** The workers that run previews. */
export interface PreviewWorkers {
  /** Rejects with the error of gRPC where the call does not come to an outcome. */
  preview(call: PreviewCall): Promise<PreviewResponse>;
  close(): void;
}

/** What a worker sends at most: a result of 1 MiB or an error, and what is around it. */
const MAX_ANSWER_BYTES = 2 * 1024 * 1024;
/** As many workers are asked at most for one that runs the type and has a slot; gRPC takes no more. */
const MAX_ATTEMPTS = 5;

/**
 * One channel to all workers, kept open and shared by all requests; calls go round among those that are there. Another one is
 * asked where a worker does not run the type or has no slot: then nothing was run. What may have been run is never run again.
 */
export function connectPreviewWorkers({ target, workers }: PreviewTarget): PreviewWorkers {
  const attempts = workers === 'many' ? MAX_ATTEMPTS : Math.min(workers, MAX_ATTEMPTS);
  const contract = loadPackageDefinition(fromJSON(workerServiceDescriptor, workerServiceOptions));
  const { WorkerService } = (contract as unknown as WorkerServicePackage).taskflow.worker.v1;
  const client: WorkerServiceClient = new WorkerService(target, credentials.createInsecure(), {
    'grpc.service_config': JSON.stringify(serviceConfig(attempts)),
    'grpc.service_config_disable_resolution': 1,
    'grpc.max_receive_message_length': MAX_ANSWER_BYTES,
    // A worker whose machine is gone is noticed while a call waits for it, and one that is back soon taken again.
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 5_000,
    'grpc.initial_reconnect_backoff_ms': 200,
    'grpc.max_reconnect_backoff_ms': 5_000,
    // Workers are never behind the proxy by which a process reaches the world.
    'grpc.enable_http_proxy': 0,
  });
  return {
    preview: ({ type, payload, userId, deadlineMs, signal }) =>
      new Promise((resolve, reject) => {
        const ended = (error: ServiceError | null, response?: PreviewResponse) => {
          signal.removeEventListener('abort', cancel);
          if (response === undefined) reject(error);
          else resolve(response);
        };
        const cancel = () => call.cancel();
        const call = client.preview({ type, payload, userId }, { deadline: Date.now() + deadlineMs }, ended);
        if (signal.aborted) cancel();
        signal.addEventListener('abort', cancel);
      }),
    close: () => client.close(),
  };
}

function serviceConfig(attempts: number) {
  const retryPolicy = {
    maxAttempts: attempts,
    initialBackoff: '0.005s',
    maxBackoff: '0.02s',
    backoffMultiplier: 2,
    retryableStatusCodes: ['UNIMPLEMENTED', 'RESOURCE_EXHAUSTED'],
  };
  const name = [{ service: 'taskflow.worker.v1.WorkerService', method: 'Preview' }];
  return {
    loadBalancingConfig: [{ round_robin: {} }],
    methodConfig: attempts < 2 ? [] : [{ name, retryPolicy }],
  };
}
