// Original file: schemas/proto/taskflow/worker/v1/worker.proto

import type { TaskFailure as _taskflow_worker_v1_TaskFailure, TaskFailure__Output as _taskflow_worker_v1_TaskFailure__Output } from '../../../taskflow/worker/v1/TaskFailure.ts';

/**
 * How the run ended.
 */
export interface PreviewResponse {
  /**
   * The result as JSON text.
   */
  'result'?: (string);
  /**
   * The handler ended with an error, as an attempt of a task would have.
   */
  'failure'?: (_taskflow_worker_v1_TaskFailure | null);
  /**
   * Either of the two.
   */
  'outcome'?: "result"|"failure";
}

/**
 * How the run ended.
 */
export interface PreviewResponse__Output {
  /**
   * The result as JSON text.
   */
  'result'?: (string);
  /**
   * The handler ended with an error, as an attempt of a task would have.
   */
  'failure'?: (_taskflow_worker_v1_TaskFailure__Output | null);
  /**
   * Either of the two.
   */
  'outcome'?: "result"|"failure";
}
