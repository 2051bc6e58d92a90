// Original file: schemas/proto/taskflow/worker/v1/worker.proto

import type { FieldError as _taskflow_worker_v1_FieldError, FieldError__Output as _taskflow_worker_v1_FieldError__Output } from '../../../taskflow/worker/v1/FieldError.ts';

/**
 * What is wrong with a payload.
 */
export interface ValidateResponse {
  /**
   * Empty where the payload fits. The first faults that were found, not all that there are.
   */
  'errors'?: (_taskflow_worker_v1_FieldError)[];
}

/**
 * What is wrong with a payload.
 */
export interface ValidateResponse__Output {
  /**
   * Empty where the payload fits. The first faults that were found, not all that there are.
   */
  'errors': (_taskflow_worker_v1_FieldError__Output)[];
}
