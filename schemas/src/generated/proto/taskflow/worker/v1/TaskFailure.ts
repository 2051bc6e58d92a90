// Original file: schemas/proto/taskflow/worker/v1/worker.proto


/**
 * The error of a run.
 */
export interface TaskFailure {
  /**
   * An error code of tasks: `HTTP_STATUS`, `HANDLER_ERROR`, …
   */
  'code'?: (string);
  /**
   * What happened, to what.
   */
  'message'?: (string);
  /**
   * Whether a further attempt of a task could do better.
   */
  'retryable'?: (boolean);
  /**
   * More about it, as JSON text; absent where there is nothing.
   */
  'details'?: (string);
  '_details'?: "details";
}

/**
 * The error of a run.
 */
export interface TaskFailure__Output {
  /**
   * An error code of tasks: `HTTP_STATUS`, `HANDLER_ERROR`, …
   */
  'code': (string);
  /**
   * What happened, to what.
   */
  'message': (string);
  /**
   * Whether a further attempt of a task could do better.
   */
  'retryable': (boolean);
  /**
   * More about it, as JSON text; absent where there is nothing.
   */
  'details'?: (string);
  '_details'?: "details";
}
