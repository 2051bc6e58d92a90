// Original file: schemas/proto/taskflow/worker/v1/worker.proto


/**
 * A fault in a payload.
 */
export interface FieldError {
  /**
   * Where it is, from the payload on: `payload.algorithms[0]`.
   */
  'path'?: (string);
  /**
   * What is wrong there.
   */
  'message'?: (string);
}

/**
 * A fault in a payload.
 */
export interface FieldError__Output {
  /**
   * Where it is, from the payload on: `payload.algorithms[0]`.
   */
  'path': (string);
  /**
   * What is wrong there.
   */
  'message': (string);
}
