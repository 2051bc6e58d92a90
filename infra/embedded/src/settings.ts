/** The variables of the starter itself, beside those by which clients find the servers (and which move the servers, too). */
import { z } from 'zod';

/** A variable: what the documentation says of it, and how its text becomes a value. */
interface Setting<T> {
  readonly variable: `TASKFLOW_${string}`;
  readonly description: string;
  /** What an unset (or empty) variable stands for. */
  readonly default?: string;
  readonly schema: z.ZodType<T, string | undefined>;
}

/** A whole number in decimal digits. */
export function integer(min: number, max: number): z.ZodType<number, string | undefined> {
  const outside = `must be a whole number from ${min} to ${max}`;
  return z
    .string({ error: outside })
    .regex(/^\d{1,5}$/, outside)
    .transform(Number)
    .refine((value) => value >= min && value <= max, outside);
}

export const settings = {
  stateDir: {
    variable: 'TASKFLOW_STATE_DIR',
    description: 'Folder of all data, logs and the development key; from the root of the repository unless absolute.',
    default: '.taskflow',
    schema: z.string(),
  },
  workers: {
    variable: 'TASKFLOW_WORKERS',
    description: 'How many TypeScript workers `make start` runs: `worker-1`, `worker-2`, …',
    default: '2',
    schema: integer(0, 64),
  },
  goWorkers: {
    variable: 'TASKFLOW_GO_WORKERS',
    description: 'How many Go workers `make start` runs: `go-worker-1`, `go-worker-2`, …',
    default: '1',
    schema: integer(0, 64),
  },
  statusBasePort: {
    variable: 'TASKFLOW_STATUS_BASE_PORT',
    description: 'Status port of the projector; after it come the workers, the orchestrator and the Go workers.',
    default: '9100',
    schema: integer(1, 65_000),
  },
  grpcBasePort: {
    variable: 'TASKFLOW_GRPC_BASE_PORT',
    description: 'gRPC port of `go-worker-1`; the other Go workers come after it. The api is told of them.',
    default: '9300',
    schema: integer(1, 65_000),
  },
  kafkaControllerPort: {
    variable: 'TASKFLOW_KAFKA_CONTROLLER_PORT',
    description: "Port of the embedded broker's KRaft quorum; the one after the broker's own unless set.",
    schema: integer(1, 65_535).optional(),
  },
} as const satisfies Readonly<Record<string, Setting<unknown>>>;
