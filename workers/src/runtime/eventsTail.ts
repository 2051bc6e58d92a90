import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '@taskflow/log/backoff';
import type { Logger } from '@taskflow/log/logger';
import { type Codec, UnknownSchemaError } from '@taskflow/schemas/codec';
import { isTaskEvent, type TaskEvent } from '@taskflow/schemas/events';
import type { EventRecord, QueueFacts } from './ports.ts';

/** What is looked for in an events partition. */
export interface Look {
  readonly taskId: string;
  /** An offset, or a time of the broker. */
  readonly from: LookFrom;
  /** Before which offset; the present end of the partition if absent. */
  readonly to?: number;
  /** Nobody wants the answer any more. */
  isObsolete(): boolean;
}

export type LookFrom = { readonly offset: number } | { readonly time: number };

export interface Seen {
  /** Of the task, in the log's order. */
  readonly events: readonly { readonly event: TaskEvent; readonly offset: number }[];
  /** Up to where the partition was read. */
  readonly end: number;
}

interface Pending extends Look {
  readonly found: EventRecord[];
  readonly resolve: (seen: Seen) => void;
}

export interface EventsTailOptions {
  readonly facts: QueueFacts;
  readonly eventsPartition: number;
  readonly codec: Codec;
  readonly learnSchema: (schemaId: number) => Promise<boolean>;
  readonly logger: Logger;
}

/**
 * Looks tasks up in the tail of one events partition. One scan at a time: what is asked meanwhile is served by the next one,
 * all together, so that a fetch of a thousand records that must be checked costs one scan, not a thousand.
 */
export class EventsTail {
  private readonly options: EventsTailOptions;
  private waiting: Pending[] = [];
  private scanning = false;

  constructor(options: EventsTailOptions) {
    this.options = options;
  }

  /** Never rejects: asks again until it is answered, as long as anybody wants to know. */
  look(look: Look): Promise<Seen> {
    if (look.to !== undefined && 'offset' in look.from && look.to <= look.from.offset) {
      return Promise.resolve({ events: [], end: look.to });
    }
    return new Promise((resolve) => {
      this.waiting.push({ ...look, isObsolete: () => look.isObsolete(), found: [], resolve });
      if (!this.scanning) {
        this.scanning = true;
        // What is asked within this turn goes into one scan.
        setImmediate(() => void this.scanAll());
      }
    });
  }

  private async scanAll(): Promise<void> {
    for (let failures = 0; ; ) {
      const looks = this.takeOfOneKind();
      if (looks.length === 0) break;
      try {
        await this.scan(looks);
        failures = 0;
      } catch (error) {
        this.options.logger.debug('The tail of an events partition could not be read; trying again', { error });
        this.waiting.unshift(...looks.map((look) => ({ ...look, found: [] })));
        await sleep(backoffMs(++failures), undefined, { ref: false });
      }
    }
    this.scanning = false;
  }

  /** Those that begin at an offset, or else those that begin at a time: which of the two is earlier cannot be told. */
  private takeOfOneKind(): Pending[] {
    const wanted = this.waiting.filter((look) => !look.isObsolete());
    const byOffset = wanted.filter(({ from }) => 'offset' in from);
    this.waiting = byOffset.length === 0 ? [] : wanted.filter(({ from }) => 'time' in from);
    return byOffset.length === 0 ? wanted : byOffset;
  }

  private async scan(looks: readonly Pending[]): Promise<void> {
    const from = 'offset' in looks[0]!.from ? { offset: earliestOffset(looks) } : { time: earliestTime(looks) };
    const byTask = Map.groupBy(looks, ({ taskId }) => taskId);
    const { end } = await this.options.facts.scanEvents(this.options.eventsPartition, from, (records) => {
      for (const record of records) {
        const wanted = record.key && byTask.get(record.key.toString('latin1'));
        if (!wanted) continue;
        for (const look of wanted) if (isWithin(record, look)) look.found.push(record);
      }
    });
    await Promise.all(
      looks.map(async ({ found, to, resolve }) => resolve({ events: await this.decodeAll(found), end: to ?? end })),
    );
  }

  private async decodeAll(records: readonly EventRecord[]): Promise<Seen['events']> {
    const events: { event: TaskEvent; offset: number }[] = [];
    for (const { value, offset } of records) {
      const event = value && (await this.decode(value));
      if (event) events.push({ event, offset });
    }
    return events;
  }

  /** Undefined for what is no event: the projector parks it. Rejects while nobody can tell whether it is one. */
  private async decode(value: Buffer): Promise<TaskEvent | undefined> {
    const { codec, learnSchema } = this.options;
    for (;;) {
      try {
        const record = codec.decode(value);
        return isTaskEvent(record) ? record : undefined;
      } catch (error) {
        if (!(error instanceof UnknownSchemaError) || !(await learnSchema(error.schemaId))) return undefined;
      }
    }
  }
}

function isWithin({ offset, appendedAt }: EventRecord, { from, to }: Look): boolean {
  if (to !== undefined && offset >= to) return false;
  return 'offset' in from ? offset >= from.offset : appendedAt >= from.time;
}

function earliestOffset(looks: readonly Look[]): number {
  return Math.min(...looks.map(({ from }) => ('offset' in from ? from.offset : Number.POSITIVE_INFINITY)));
}

function earliestTime(looks: readonly Look[]): number {
  return Math.min(...looks.map(({ from }) => ('time' in from ? from.time : Number.POSITIVE_INFINITY)));
}
