import { backoffMs } from '../backoff.ts';
import type { Cluster } from '../cluster.ts';
import { ConnectionError, KafkaError, throwIfError } from '../errors.ts';
import { codes } from '../wire/errorCodes.ts';
import { type AssignedTopic, joinEpoch, leaveEpoch, shareGroupHeartbeat } from './messages/shareGroupHeartbeat.ts';

export interface MembershipOptions {
  readonly cluster: Cluster;
  readonly group: string;
  readonly topic: string;
  readonly memberId: string;
  onAssigned(assignment: readonly AssignedTopic[]): void;
}

/** `joining`: not a member, or without partitions. `member`: has partitions. `failing`: the last heartbeat got no good answer. */
export type MembershipState = 'joining' | 'member' | 'failing' | 'left';

/** The first assignment comes with a later heartbeat than the one that joins: about a second later, if one asks this often. */
const eagerIntervalMs = 200;
/** A topic that does not exist yet gives no partitions however often one asks. */
const eagerBeats = 50;
const patientIntervalMs = 1_000;
/** Where trying again soon cannot help: not allowed, or the group is full. */
const refusedPauseMs = 5_000;
const leaveTimeoutMs = 2_000;

/**
 * One member of a share group: joins, says regularly that it lives, learns its partitions, leaves. Its id stays the same for
 * good; a broker that does not know it (any more) makes it join anew. Sessions go on while the coordinator is away.
 */
export class Membership {
  state: MembershipState = 'joining';
  /** When the coordinator last answered well, on the clock of `performance.now()`. */
  lastHeartbeatAt: number | undefined;
  lastError: Error | undefined;
  readonly #options: MembershipOptions;
  #epoch = joinEpoch;
  #hasPartitions = false;
  #beats = 0;
  #failures = 0;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> | undefined;

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  /** Joins. Rejects if that can never succeed; while no coordinator can be reached it goes on trying in the background. */
  async start(): Promise<void> {
    this.#beating = this.#beat();
    await this.#beating;
    if (this.lastError && isHopeless(this.lastError)) {
      this.#stopped = true;
      clearTimeout(this.#timer);
      throw this.lastError;
    }
  }

  async leave(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#beating;
    this.state = 'left';
    if (this.#epoch === joinEpoch) return;
    // its session time-out (45 s) removes a member that could not say goodbye
    const left = this.#send(leaveEpoch, null).catch(() => {});
    await Promise.race([left, new Promise((resolve) => setTimeout(resolve, leaveTimeoutMs).unref())]);
  }

  async #beat(): Promise<void> {
    let pause: number;
    try {
      pause = await this.#exchange();
      this.#failures = 0;
    } catch (error) {
      pause = this.#failed(error);
    }
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#beating = this.#beat();
    }, pause);
  }

  async #exchange(): Promise<number> {
    const { group, topic, onAssigned } = this.#options;
    const response = await this.#send(this.#epoch, this.#epoch === joinEpoch ? [topic] : null);
    throwIfError(response.errorCode, `ShareGroupHeartbeat for group ${group}`, response.errorMessage);
    this.#epoch = response.memberEpoch;
    this.lastHeartbeatAt = performance.now();
    this.lastError = undefined;
    this.#beats++;
    if (response.assignment && !this.#stopped) {
      this.#hasPartitions = response.assignment.some(({ partitions }) => partitions.length > 0);
      onAssigned(response.assignment);
    }
    this.state = this.#hasPartitions ? 'member' : 'joining';
    if (this.#hasPartitions) return response.heartbeatIntervalMs;
    return this.#beats <= eagerBeats ? eagerIntervalMs : patientIntervalMs;
  }

  #send(memberEpoch: number, topics: readonly string[] | null) {
    const { cluster, group, memberId } = this.#options;
    return cluster.request({ coordinatorOf: group }, shareGroupHeartbeat({ group, memberId, memberEpoch, topics }));
  }

  #failed(cause: unknown): number {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    const { cluster, group } = this.#options;
    this.state = 'failing';
    this.lastError = error;
    const code = error instanceof KafkaError ? error.code : undefined;
    if (code === codes.UNKNOWN_MEMBER_ID || code === codes.FENCED_MEMBER_EPOCH) {
      cluster.logger.warn('the share group does not know this member any more, joining anew', { group });
      this.#epoch = joinEpoch;
      this.#beats = 0;
      return backoffMs(++this.#failures);
    }
    cluster.forgetCoordinator(group);
    const fields = { group, error: error.message, attempt: ++this.#failures };
    if (this.#failures === 1) cluster.logger.warn('a heartbeat to the share group failed, trying again', fields);
    else cluster.logger.debug('a heartbeat to the share group failed again', fields);
    if (isHopeless(error) || code === codes.GROUP_MAX_SIZE_REACHED) return refusedPauseMs;
    return backoffMs(this.#failures);
  }
}

function isHopeless(error: Error): boolean {
  return (
    !(error instanceof ConnectionError) &&
    !(error instanceof KafkaError && (error.retriable || passing.has(error.code)))
  );
}

/** Not retriable by the protocol's table, and yet another time may succeed. */
const passing = new Set<number>([
  codes.UNKNOWN_MEMBER_ID,
  codes.FENCED_MEMBER_EPOCH,
  codes.GROUP_MAX_SIZE_REACHED,
  codes.GROUP_ID_NOT_FOUND,
]);
