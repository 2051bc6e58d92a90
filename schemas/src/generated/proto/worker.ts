import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { DescribeRequest as _taskflow_worker_v1_DescribeRequest, DescribeRequest__Output as _taskflow_worker_v1_DescribeRequest__Output } from './taskflow/worker/v1/DescribeRequest.ts';
import type { DescribeResponse as _taskflow_worker_v1_DescribeResponse, DescribeResponse__Output as _taskflow_worker_v1_DescribeResponse__Output } from './taskflow/worker/v1/DescribeResponse.ts';
import type { FieldError as _taskflow_worker_v1_FieldError, FieldError__Output as _taskflow_worker_v1_FieldError__Output } from './taskflow/worker/v1/FieldError.ts';
import type { PreviewRequest as _taskflow_worker_v1_PreviewRequest, PreviewRequest__Output as _taskflow_worker_v1_PreviewRequest__Output } from './taskflow/worker/v1/PreviewRequest.ts';
import type { PreviewResponse as _taskflow_worker_v1_PreviewResponse, PreviewResponse__Output as _taskflow_worker_v1_PreviewResponse__Output } from './taskflow/worker/v1/PreviewResponse.ts';
import type { TaskDefaults as _taskflow_worker_v1_TaskDefaults, TaskDefaults__Output as _taskflow_worker_v1_TaskDefaults__Output } from './taskflow/worker/v1/TaskDefaults.ts';
import type { TaskFailure as _taskflow_worker_v1_TaskFailure, TaskFailure__Output as _taskflow_worker_v1_TaskFailure__Output } from './taskflow/worker/v1/TaskFailure.ts';
import type { TaskType as _taskflow_worker_v1_TaskType, TaskType__Output as _taskflow_worker_v1_TaskType__Output } from './taskflow/worker/v1/TaskType.ts';
import type { ValidateRequest as _taskflow_worker_v1_ValidateRequest, ValidateRequest__Output as _taskflow_worker_v1_ValidateRequest__Output } from './taskflow/worker/v1/ValidateRequest.ts';
import type { ValidateResponse as _taskflow_worker_v1_ValidateResponse, ValidateResponse__Output as _taskflow_worker_v1_ValidateResponse__Output } from './taskflow/worker/v1/ValidateResponse.ts';
import type { WorkerServiceClient as _taskflow_worker_v1_WorkerServiceClient, WorkerServiceDefinition as _taskflow_worker_v1_WorkerServiceDefinition } from './taskflow/worker/v1/WorkerService.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  taskflow: {
    worker: {
      v1: {
        DescribeRequest: MessageTypeDefinition<_taskflow_worker_v1_DescribeRequest, _taskflow_worker_v1_DescribeRequest__Output>
        DescribeResponse: MessageTypeDefinition<_taskflow_worker_v1_DescribeResponse, _taskflow_worker_v1_DescribeResponse__Output>
        FieldError: MessageTypeDefinition<_taskflow_worker_v1_FieldError, _taskflow_worker_v1_FieldError__Output>
        PreviewRequest: MessageTypeDefinition<_taskflow_worker_v1_PreviewRequest, _taskflow_worker_v1_PreviewRequest__Output>
        PreviewResponse: MessageTypeDefinition<_taskflow_worker_v1_PreviewResponse, _taskflow_worker_v1_PreviewResponse__Output>
        TaskDefaults: MessageTypeDefinition<_taskflow_worker_v1_TaskDefaults, _taskflow_worker_v1_TaskDefaults__Output>
        TaskFailure: MessageTypeDefinition<_taskflow_worker_v1_TaskFailure, _taskflow_worker_v1_TaskFailure__Output>
        TaskType: MessageTypeDefinition<_taskflow_worker_v1_TaskType, _taskflow_worker_v1_TaskType__Output>
        ValidateRequest: MessageTypeDefinition<_taskflow_worker_v1_ValidateRequest, _taskflow_worker_v1_ValidateRequest__Output>
        ValidateResponse: MessageTypeDefinition<_taskflow_worker_v1_ValidateResponse, _taskflow_worker_v1_ValidateResponse__Output>
        /**
         * A worker process, asked directly. Nothing of it touches the event log.
         * 
         * The status of an answer, beside OK:
         * INVALID_ARGUMENT    the request itself is wrong: no type, a payload that is no JSON or does not fit the type's schema
         * UNIMPLEMENTED       this worker does not run the type
         * RESOURCE_EXHAUSTED  as many previews run as the worker allows, or a message is larger than it takes; nothing was run
         * DEADLINE_EXCEEDED   the handler had not ended at the deadline; it was told to stop
         * CANCELLED           the caller went away; the handler was told to stop
         * UNAVAILABLE         the worker stops
         * INTERNAL            the handler panicked; the worker goes on
         */
        WorkerService: SubtypeConstructor<typeof grpc.Client, _taskflow_worker_v1_WorkerServiceClient> & { service: _taskflow_worker_v1_WorkerServiceDefinition }
      }
    }
  }
}

