// Original file: schemas/proto/taskflow/worker/v1/worker.proto

import type { TaskType as _taskflow_worker_v1_TaskType, TaskType__Output as _taskflow_worker_v1_TaskType__Output } from '../../../taskflow/worker/v1/TaskType.ts';

/**
 * What a worker is and runs.
 */
export interface DescribeResponse {
  /**
   * The id of the worker as the events of its tasks name it: `go-worker-1.4711.k3x9`.
   */
  'workerId'?: (string);
  /**
   * The types that it runs, in the order of their names.
   */
  'types'?: (_taskflow_worker_v1_TaskType)[];
}

/**
 * What a worker is and runs.
 */
export interface DescribeResponse__Output {
  /**
   * The id of the worker as the events of its tasks name it: `go-worker-1.4711.k3x9`.
   */
  'workerId': (string);
  /**
   * The types that it runs, in the order of their names.
   */
  'types': (_taskflow_worker_v1_TaskType__Output)[];
}
