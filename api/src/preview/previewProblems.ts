import { type ServiceError, status } from '@grpc/grpc-js';
import type { TaskFailure } from '@taskflow/schemas/workerService';
import { Problem, type ProblemKind } from '../http/problem.ts';

/** What a preview may be refused with, beside what the request itself may be wrong in. */
export const previewProblemKinds = [
  'type-not-found',
  'type-unusable',
  'preview-not-offered',
  'preview-failed',
  'too-many-previews',
  'preview-worker-failed',
  'preview-unavailable',
  'preview-timeout',
] as const satisfies readonly ProblemKind[];

/** The problem that the status of a call stands for. */
export function previewProblem(error: unknown, type: string, deadlineMs: number): Problem {
  const { code, details } = error as Partial<ServiceError>;
  const cause = { cause: error };
  switch (code) {
    case status.INVALID_ARGUMENT: {
      const message = details ?? 'is not valid';
      // The worker says where as `payload.url: what`.
      const [, path = 'payload', what = message] = /^(payload[^:]*): (.*)$/s.exec(message) ?? [];
      return new Problem('invalid-request', 'The worker does not take the payload.', {
        errors: [{ path, message: what }],
      });
    }
    case status.UNIMPLEMENTED:
      return new Problem(
        'preview-not-offered',
        `No worker runs "${type}" in a preview: only Go workers that the api knows of do (TASKFLOW_PREVIEW_WORKERS).`,
        cause,
      );
    case status.RESOURCE_EXHAUSTED:
      return new Problem('too-many-previews', 'As many previews run as the workers allow. Nothing was run.', {
        retryAfter: 1,
        ...cause,
      });
    case status.DEADLINE_EXCEEDED:
      return new Problem(
        'preview-timeout',
        `The task had not ended after ${deadlineMs} ms, and was told to stop.`,
        cause,
      );
    case status.CANCELLED:
      return new Problem('preview-timeout', 'The client went away before the task had ended.', cause);
    case status.UNAVAILABLE:
      return new Problem('preview-unavailable', 'No worker that runs previews can be reached, or it went away.', {
        retryAfter: 2,
        ...cause,
      });
    default:
      return new Problem('preview-worker-failed', `The worker failed: ${details ?? String(error)}`, cause);
  }
}

/** The handler ended with an error, as an attempt of a task would have. */
export function previewFailed({ code, message, retryable, details }: TaskFailure): Problem {
  return new Problem('preview-failed', message, {
    extensions: { error: { code, message, retryable, details: details === undefined ? null : JSON.parse(details) } },
  });
}
