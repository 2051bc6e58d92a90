import type { TaskLogLine, TaskQueued } from '@taskflow/schemas/events';
import type { TaskLog } from '../defineTask.ts';
import { cleanJson, cleanText } from './cleanJson.ts';

/** Of one attempt. The last line then says how many were dropped. */
export const MAX_LINES = 200;
const MAX_MESSAGE_CHARACTERS = 2_000;
const MAX_FIELDS_CHARACTERS = 4_000;

/** The log of one run. Never throws into the handler: a line that cannot be written is no reason to fail a task. */
export class RunLog implements TaskLog {
  private readonly queued: TaskQueued;
  private readonly workerId: string;
  private readonly write: (line: TaskLogLine) => boolean;
  private seq = 0;
  private dropped = 0;
  readonly debug: TaskLog['debug'] = (message, fields) => this.line('debug', message, fields);
  readonly info: TaskLog['info'] = (message, fields) => this.line('info', message, fields);
  readonly warn: TaskLog['warn'] = (message, fields) => this.line('warn', message, fields);
  readonly error: TaskLog['error'] = (message, fields) => this.line('error', message, fields);

  constructor(queued: TaskQueued, workerId: string, write: (line: TaskLogLine) => boolean) {
    this.queued = queued;
    this.workerId = workerId;
    this.write = write;
  }

  /** Called when the run has ended: says what is missing. */
  end(): void {
    if (this.dropped > 0)
      this.append('warn', `${this.dropped} further lines were dropped: the limit is ${MAX_LINES} for an attempt`, null);
  }

  private line(level: TaskLogLine['level'], message: string, fields?: Readonly<Record<string, unknown>>): void {
    if (this.seq >= MAX_LINES) {
      this.dropped++;
      return;
    }
    let text: string | null = null;
    try {
      text = fields === undefined ? null : cleanJson(fields);
    } catch {
      text = '{"fields":"not serialisable"}';
    }
    if (text !== null && text.length > MAX_FIELDS_CHARACTERS) text = '{"fields":"too long"}';
    if (!this.append(level, cleanText(String(message).slice(0, MAX_MESSAGE_CHARACTERS)), text)) this.dropped++;
  }

  private append(level: TaskLogLine['level'], message: string, fields: string | null): boolean {
    const { taskId, generation, attempt, userId, type } = this.queued;
    return this.write({
      event: 'TaskLogLine',
      taskId,
      generation,
      attempt,
      workerId: this.workerId,
      userId,
      type,
      seq: this.seq++,
      occurredAt: Date.now(),
      level,
      message,
      fields,
    });
  }
}
