// Original file: schemas/proto/taskflow/worker/v1/worker.proto


/**
 * A payload to be checked.
 */
export interface ValidateRequest {
  /**
   * The name of the type.
   */
  'type'?: (string);
  /**
   * The payload as JSON text.
   */
  'payload'?: (string);
}

/**
 * A payload to be checked.
 */
export interface ValidateRequest__Output {
  /**
   * The name of the type.
   */
  'type': (string);
  /**
   * The payload as JSON text.
   */
  'payload': (string);
}
