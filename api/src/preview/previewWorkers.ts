import { connectivityState, credentials, loadPackageDefinition, type ServiceError, status } from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import {
  type PreviewResponse,
  type WorkerServiceClient,
  type WorkerServicePackage,
  workerServiceDescriptor,
  workerServiceOptions,
} from '@taskflow/schemas/workerService';

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
  /** Rejects with an error that has a status of gRPC as its `code`, where the call does not come to an outcome. */
  preview(call: PreviewCall): Promise<PreviewResponse>;
  close(): void;
}

/** What a worker sends at most: a result of 1 MiB or an error, and what is around it. */
const MAX_ANSWER_BYTES = 2 * 1024 * 1024;
/** How long a call waits for a connection that is being made before it goes to the next worker. */
const CONNECT_MS = 1_000;

const channelOptions = {
  // A name may have many addresses: calls go round among them.
  'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
  'grpc.service_config_disable_resolution': 1,
  'grpc.max_receive_message_length': MAX_ANSWER_BYTES,
  // A worker whose machine is gone is noticed while a call waits for it, and one that is back soon taken again.
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.initial_reconnect_backoff_ms': 200,
  'grpc.max_reconnect_backoff_ms': 2_000,
  // What may have been run is never run again.
  'grpc.enable_retries': 0,
  // Workers are never behind the proxy by which a process reaches the world.
  'grpc.enable_http_proxy': 0,
};

/**
 * A channel to each address, kept open and shared by all requests; calls take them in turn. The next one is asked where a
 * worker is not there, does not run the type or has no slot: then nothing was run.
 */
export function connectPreviewWorkers(addresses: readonly string[]): PreviewWorkers {
  const contract = loadPackageDefinition(fromJSON(workerServiceDescriptor, workerServiceOptions));
  const { WorkerService } = (contract as unknown as WorkerServicePackage).taskflow.worker.v1;
  const clients = addresses.map(
    (address): WorkerServiceClient =>
      new WorkerService(`dns:///${address}`, credentials.createInsecure(), channelOptions),
  );
  for (const client of clients) client.getChannel().getConnectivityState(true);
  let turn = 0;
  return {
    async preview(call) {
      const first = turn++ % Math.max(clients.length, 1);
      const deadline = Date.now() + call.deadlineMs;
      let refusal: Refusal = Object.assign(new Error('There are no workers for previews'), {
        code: status.UNIMPLEMENTED,
      });
      for (const client of [...clients.slice(first), ...clients.slice(0, first)]) {
        try {
          await untilReady(client, Math.min(deadline, Date.now() + CONNECT_MS));
          return await callOnce(client, call, deadline);
        } catch (error) {
          if (!isRefusal(error)) throw error;
          if (refusals.indexOf(error.code) >= refusals.indexOf(refusal.code)) refusal = error;
        }
      }
      throw refusal;
    },
    close() {
      for (const client of clients) client.close();
    },
  };
}

/** Why nothing was run; of several workers' reasons the last one of these is told. */
const refusals: readonly status[] = [status.UNIMPLEMENTED, status.UNAVAILABLE, status.RESOURCE_EXHAUSTED];

interface Refusal extends Error {
  readonly code: status;
}

function isRefusal(error: unknown): error is Refusal {
  if (error instanceof NotConnectedError) return true;
  const { code } = error as Partial<ServiceError>;
  return code === status.UNIMPLEMENTED || code === status.RESOURCE_EXHAUSTED;
}

/** Unlike a call that ends as UNAVAILABLE, this was never sent. */
class NotConnectedError extends Error {
  override readonly name = 'NotConnectedError';
  readonly code = status.UNAVAILABLE;
}

/** Rejects at once where the last attempt to connect has failed: the channel goes on trying by itself. */
async function untilReady(client: WorkerServiceClient, deadline: number): Promise<void> {
  const channel = client.getChannel();
  const state = channel.getConnectivityState(true);
  if (state === connectivityState.READY) return;
  const away = () => new NotConnectedError(`There is no connection to ${channel.getTarget()}`);
  if (state === connectivityState.TRANSIENT_FAILURE) throw away();
  await new Promise<void>((resolve, reject) => {
    client.waitForReady(deadline, (error) => (error === undefined ? resolve() : reject(away())));
  });
}

function callOnce(
  client: WorkerServiceClient,
  { type, payload, userId, signal }: PreviewCall,
  deadline: number,
): Promise<PreviewResponse> {
  return new Promise((resolve, reject) => {
    const call = client.preview({ type, payload, userId }, { deadline }, (error, response) => {
      signal.removeEventListener('abort', cancel);
      if (response === undefined) reject(error);
      else resolve(response);
    });
    const cancel = () => call.cancel();
    if (signal.aborted) cancel();
    signal.addEventListener('abort', cancel);
  });
}
