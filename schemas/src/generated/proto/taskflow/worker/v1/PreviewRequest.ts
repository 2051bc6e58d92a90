// Original file: schemas/proto/taskflow/worker/v1/worker.proto


/**
 * A task to be run at once.
 */
export interface PreviewRequest {
  /**
   * The name of the type.
   */
  'type'?: (string);
  /**
   * The payload as JSON text.
   */
  'payload'?: (string);
  /**
   * The id of the user for whom it runs, as handlers see it.
   */
  'userId'?: (string);
}

/**
 * A task to be run at once.
 */
export interface PreviewRequest__Output {
  /**
   * The name of the type.
   */
  'type': (string);
  /**
   * The payload as JSON text.
   */
  'payload': (string);
  /**
   * The id of the user for whom it runs, as handlers see it.
   */
  'userId': (string);
}
