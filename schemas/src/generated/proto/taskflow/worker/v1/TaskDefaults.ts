// Original file: schemas/proto/taskflow/worker/v1/worker.proto


/**
 * The options of a task where its submission leaves them open.
 */
export interface TaskDefaults {
  /**
   * `high`, `normal` or `low`.
   */
  'priority'?: (string);
  /**
   * How long an attempt may take, in milliseconds.
   */
  'timeoutMs'?: (number);
  /**
   * How many attempts may fail.
   */
  'maxAttempts'?: (number);
  /**
   * The pause before the first retry, in milliseconds.
   */
  'backoffBaseMs'?: (number);
  /**
   * What the pause grows by with each retry.
   */
  'backoffFactor'?: (number | string);
  /**
   * The longest pause, in milliseconds.
   */
  'backoffCapMs'?: (number);
  /**
   * Error codes that are not retried.
   */
  'notRetryable'?: (string)[];
}

/**
 * The options of a task where its submission leaves them open.
 */
export interface TaskDefaults__Output {
  /**
   * `high`, `normal` or `low`.
   */
  'priority': (string);
  /**
   * How long an attempt may take, in milliseconds.
   */
  'timeoutMs': (number);
  /**
   * How many attempts may fail.
   */
  'maxAttempts': (number);
  /**
   * The pause before the first retry, in milliseconds.
   */
  'backoffBaseMs': (number);
  /**
   * What the pause grows by with each retry.
   */
  'backoffFactor': (number);
  /**
   * The longest pause, in milliseconds.
   */
  'backoffCapMs': (number);
  /**
   * Error codes that are not retried.
   */
  'notRetryable': (string)[];
}
