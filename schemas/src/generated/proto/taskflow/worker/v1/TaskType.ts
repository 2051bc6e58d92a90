// Original file: schemas/proto/taskflow/worker/v1/worker.proto

import type { TaskDefaults as _taskflow_worker_v1_TaskDefaults, TaskDefaults__Output as _taskflow_worker_v1_TaskDefaults__Output } from '../../../taskflow/worker/v1/TaskDefaults.ts';

/**
 * A task type, as it is registered in the catalogue.
 */
export interface TaskType {
  /**
   * Its name in snake case: `file_hash`.
   */
  'name'?: (string);
  /**
   * Raised when payload or result change their meaning; from 1.
   */
  'version'?: (number);
  /**
   * What runs it: `go`.
   */
  'runtime'?: (string);
  /**
   * JSON Schema (2020-12) of the payload, as JSON text.
   */
  'payloadSchema'?: (string);
  /**
   * JSON Schema (2020-12) of the result, as JSON text.
   */
  'resultSchema'?: (string);
  /**
   * What holds where a submission says nothing.
   */
  'defaults'?: (_taskflow_worker_v1_TaskDefaults | null);
}

/**
 * A task type, as it is registered in the catalogue.
 */
export interface TaskType__Output {
  /**
   * Its name in snake case: `file_hash`.
   */
  'name': (string);
  /**
   * Raised when payload or result change their meaning; from 1.
   */
  'version': (number);
  /**
   * What runs it: `go`.
   */
  'runtime': (string);
  /**
   * JSON Schema (2020-12) of the payload, as JSON text.
   */
  'payloadSchema': (string);
  /**
   * JSON Schema (2020-12) of the result, as JSON text.
   */
  'resultSchema': (string);
  /**
   * What holds where a submission says nothing.
   */
  'defaults': (_taskflow_worker_v1_TaskDefaults__Output | null);
}
