import type { TaskEventHead } from '@taskflow/schemas/events';

/** What of an event's head follows from the task and the attempt. */
export type EventSubject = Pick<
  TaskEventHead,
  'taskId' | 'generation' | 'attempt' | 'userId' | 'type' | 'priority' | 'runId' | 'stepId'
>;

/** Who says it, and when: all that a decision cannot know by itself. */
export interface EventStamp {
  readonly now: number;
  readonly eventId: string;
  /** The process whose run it is about; empty where none. */
  readonly workerId: string;
}

/** The head of an event about an attempt. */
export function eventHead(subject: EventSubject, stamp: EventStamp): TaskEventHead {
  return {
    taskId: subject.taskId,
    generation: subject.generation,
    attempt: subject.attempt,
    workerId: stamp.workerId,
    eventId: stamp.eventId,
    userId: subject.userId,
    type: subject.type,
    priority: subject.priority,
    occurredAt: stamp.now,
    runId: subject.runId,
    stepId: subject.stepId,
  };
}
