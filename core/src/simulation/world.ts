import type { TaskQueued } from '@taskflow/schemas/events';
import type { ProtocolValues } from '../protocolValues.ts';
import type { Broker } from './broker.ts';
import type { Process } from './process.ts';
import type { Random } from './random.ts';
import type { Timeline } from './timeline.ts';

/** What a task's handler does: its payload. */
export interface TaskPlan {
  readonly durationMs: number;
  /** The first so many attempts fail. */
  readonly failTimes: number;
  readonly retryable: boolean;
  /** It kills its process so long after each start; null: never. */
  readonly killsAfterMs: number | null;
}

/** A call of a handler: what the protocol is judged by. */
export interface HandlerStart {
  readonly taskId: string;
  readonly generation: number;
  readonly attempt: number;
  readonly process: Process;
  readonly at: number;
  /** When the handler ended, or was told to; undefined while it runs. */
  endedAt: number | undefined;
  /** Starts of the attempt, as told. */
  readonly starts: number;
  readonly alone: boolean;
  /** The task kills its process. */
  readonly isPoison: boolean;
  /** Other handlers that ran in the process at that moment. */
  readonly beside: number;
}

/** What all parts of a simulation share. */
export interface World {
  readonly timeline: Timeline;
  readonly random: Random;
  readonly broker: Broker;
  readonly values: ProtocolValues;
  readonly takeover: 'at-once' | 'after-lease';
  /** Every so many calls, one is lost. */
  lossRate: number;
  readonly starts: HandlerStart[];
  nextId(): string;
  /** Kills the process that runs a poison task. */
  poisoned(process: Process, queued: TaskQueued): void;
  count(what: string): void;
}
