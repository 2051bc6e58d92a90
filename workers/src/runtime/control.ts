import { applyControl, type ControlState, emptyControl } from '@taskflow/core/control';
import type { Logger } from '@taskflow/log/logger';
import { type Codec, UnknownSchemaError } from '@taskflow/schemas/codec';
import type { TaskflowRecord } from '@taskflow/schemas/events';

/** A record of `taskflow.control`. */
export interface SignalRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

export interface ControlOptions {
  readonly codec: Codec;
  readonly learnSchema: (schemaId: number) => Promise<boolean>;
  readonly logger: Logger;
}

/** What `taskflow.control` says, kept up as it is read: which tasks are cancelled, which types are paused. */
export class Control {
  readonly state: ControlState = emptyControl();
  /** Called after a change. */
  onChange: () => void = () => {};
  private readonly options: ControlOptions;

  constructor(options: ControlOptions) {
    this.options = options;
  }

  /** Takes records in the topic's order. Waits for the registry where a schema is not known yet: a signal is not passed over. */
  async take(records: readonly SignalRecord[]): Promise<void> {
    for (const { key, value } of records) {
      if (key === null) continue;
      if (value === null) applyControl(this.state, key.toString(), null);
      else this.apply(key.toString(), await this.decode(value));
    }
    this.onChange();
  }

  private apply(key: string, record: TaskflowRecord | undefined): void {
    switch (record?.event) {
      case 'TaskCancelRequested':
      case 'TypePaused':
      case 'TypeResumed':
        applyControl(this.state, key, record);
        break;
      default:
        this.options.logger.error('A record of the control topic is no signal, and is passed over', { key });
    }
  }

  private async decode(value: Buffer): Promise<TaskflowRecord | undefined> {
    const { codec, learnSchema } = this.options;
    for (;;) {
      try {
        return codec.decode(value);
      } catch (error) {
        if (!(error instanceof UnknownSchemaError) || !(await learnSchema(error.schemaId))) return undefined;
      }
    }
  }
}
