// Original file: schemas/proto/taskflow/worker/v1/worker.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { DescribeRequest as _taskflow_worker_v1_DescribeRequest, DescribeRequest__Output as _taskflow_worker_v1_DescribeRequest__Output } from '../../../taskflow/worker/v1/DescribeRequest.ts';
import type { DescribeResponse as _taskflow_worker_v1_DescribeResponse, DescribeResponse__Output as _taskflow_worker_v1_DescribeResponse__Output } from '../../../taskflow/worker/v1/DescribeResponse.ts';
import type { PreviewRequest as _taskflow_worker_v1_PreviewRequest, PreviewRequest__Output as _taskflow_worker_v1_PreviewRequest__Output } from '../../../taskflow/worker/v1/PreviewRequest.ts';
import type { PreviewResponse as _taskflow_worker_v1_PreviewResponse, PreviewResponse__Output as _taskflow_worker_v1_PreviewResponse__Output } from '../../../taskflow/worker/v1/PreviewResponse.ts';
import type { ValidateRequest as _taskflow_worker_v1_ValidateRequest, ValidateRequest__Output as _taskflow_worker_v1_ValidateRequest__Output } from '../../../taskflow/worker/v1/ValidateRequest.ts';
import type { ValidateResponse as _taskflow_worker_v1_ValidateResponse, ValidateResponse__Output as _taskflow_worker_v1_ValidateResponse__Output } from '../../../taskflow/worker/v1/ValidateResponse.ts';

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
export interface WorkerServiceClient extends grpc.Client {
  /**
   * Says which task types this worker runs, with their schemas and defaults.
   */
  Describe(argument: _taskflow_worker_v1_DescribeRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_taskflow_worker_v1_DescribeResponse__Output>): grpc.ClientUnaryCall;
  Describe(argument: _taskflow_worker_v1_DescribeRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_taskflow_worker_v1_DescribeResponse__Output>): grpc.ClientUnaryCall;
  Describe(argument: _taskflow_worker_v1_DescribeRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_taskflow_worker_v1_DescribeResponse__Output>): grpc.ClientUnaryCall;
  Describe(argument: _taskflow_worker_v1_DescribeRequest, callback: grpc.requestCallback<_taskflow_worker_v1_DescribeResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Says which task types this worker runs, with their schemas and defaults.
   */
  describe(argument: _taskflow_worker_v1_DescribeRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_taskflow_worker_v1_DescribeResponse__Output>): grpc.ClientUnaryCall;
  describe(argument: _taskflow_worker_v1_DescribeRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_taskflow_worker_v1_DescribeResponse__Output>): grpc.ClientUnaryCall;
  describe(argument: _taskflow_worker_v1_DescribeRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_taskflow_worker_v1_DescribeResponse__Output>): grpc.ClientUnaryCall;
  describe(argument: _taskflow_worker_v1_DescribeRequest, callback: grpc.requestCallback<_taskflow_worker_v1_DescribeResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * Runs the handler of a type once, in this process, and gives what it gives. No task is made: there is no event, no retry,
   * no log and no stored result.
   * 
   * The deadline is that of the call: 5 s where it has none, 30 s at most. At the deadline, and when the caller goes away,
   * the handler's context ends.
   */
  Preview(argument: _taskflow_worker_v1_PreviewRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_taskflow_worker_v1_PreviewResponse__Output>): grpc.ClientUnaryCall;
  Preview(argument: _taskflow_worker_v1_PreviewRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_taskflow_worker_v1_PreviewResponse__Output>): grpc.ClientUnaryCall;
  Preview(argument: _taskflow_worker_v1_PreviewRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_taskflow_worker_v1_PreviewResponse__Output>): grpc.ClientUnaryCall;
  Preview(argument: _taskflow_worker_v1_PreviewRequest, callback: grpc.requestCallback<_taskflow_worker_v1_PreviewResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Runs the handler of a type once, in this process, and gives what it gives. No task is made: there is no event, no retry,
   * no log and no stored result.
   * 
   * The deadline is that of the call: 5 s where it has none, 30 s at most. At the deadline, and when the caller goes away,
   * the handler's context ends.
   */
  preview(argument: _taskflow_worker_v1_PreviewRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_taskflow_worker_v1_PreviewResponse__Output>): grpc.ClientUnaryCall;
  preview(argument: _taskflow_worker_v1_PreviewRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_taskflow_worker_v1_PreviewResponse__Output>): grpc.ClientUnaryCall;
  preview(argument: _taskflow_worker_v1_PreviewRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_taskflow_worker_v1_PreviewResponse__Output>): grpc.ClientUnaryCall;
  preview(argument: _taskflow_worker_v1_PreviewRequest, callback: grpc.requestCallback<_taskflow_worker_v1_PreviewResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * Holds a payload to the schema of its type, without running anything. A payload that does not fit is an answer, not an error.
   */
  Validate(argument: _taskflow_worker_v1_ValidateRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_taskflow_worker_v1_ValidateResponse__Output>): grpc.ClientUnaryCall;
  Validate(argument: _taskflow_worker_v1_ValidateRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_taskflow_worker_v1_ValidateResponse__Output>): grpc.ClientUnaryCall;
  Validate(argument: _taskflow_worker_v1_ValidateRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_taskflow_worker_v1_ValidateResponse__Output>): grpc.ClientUnaryCall;
  Validate(argument: _taskflow_worker_v1_ValidateRequest, callback: grpc.requestCallback<_taskflow_worker_v1_ValidateResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Holds a payload to the schema of its type, without running anything. A payload that does not fit is an answer, not an error.
   */
  validate(argument: _taskflow_worker_v1_ValidateRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_taskflow_worker_v1_ValidateResponse__Output>): grpc.ClientUnaryCall;
  validate(argument: _taskflow_worker_v1_ValidateRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_taskflow_worker_v1_ValidateResponse__Output>): grpc.ClientUnaryCall;
  validate(argument: _taskflow_worker_v1_ValidateRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_taskflow_worker_v1_ValidateResponse__Output>): grpc.ClientUnaryCall;
  validate(argument: _taskflow_worker_v1_ValidateRequest, callback: grpc.requestCallback<_taskflow_worker_v1_ValidateResponse__Output>): grpc.ClientUnaryCall;
  
}

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
export interface WorkerServiceHandlers extends grpc.UntypedServiceImplementation {
  /**
   * Says which task types this worker runs, with their schemas and defaults.
   */
  Describe: grpc.handleUnaryCall<_taskflow_worker_v1_DescribeRequest__Output, _taskflow_worker_v1_DescribeResponse>;
  
  /**
   * Runs the handler of a type once, in this process, and gives what it gives. No task is made: there is no event, no retry,
   * no log and no stored result.
   * 
   * The deadline is that of the call: 5 s where it has none, 30 s at most. At the deadline, and when the caller goes away,
   * the handler's context ends.
   */
  Preview: grpc.handleUnaryCall<_taskflow_worker_v1_PreviewRequest__Output, _taskflow_worker_v1_PreviewResponse>;
  
  /**
   * Holds a payload to the schema of its type, without running anything. A payload that does not fit is an answer, not an error.
   */
  Validate: grpc.handleUnaryCall<_taskflow_worker_v1_ValidateRequest__Output, _taskflow_worker_v1_ValidateResponse>;
  
}

export interface WorkerServiceDefinition extends grpc.ServiceDefinition {
  Describe: MethodDefinition<_taskflow_worker_v1_DescribeRequest, _taskflow_worker_v1_DescribeResponse, _taskflow_worker_v1_DescribeRequest__Output, _taskflow_worker_v1_DescribeResponse__Output>
  Preview: MethodDefinition<_taskflow_worker_v1_PreviewRequest, _taskflow_worker_v1_PreviewResponse, _taskflow_worker_v1_PreviewRequest__Output, _taskflow_worker_v1_PreviewResponse__Output>
  Validate: MethodDefinition<_taskflow_worker_v1_ValidateRequest, _taskflow_worker_v1_ValidateResponse, _taskflow_worker_v1_ValidateRequest__Output, _taskflow_worker_v1_ValidateResponse__Output>
}
