import type { Broker } from './broker.ts';
import type { World } from './world.ts';

export interface Trouble {
  readonly what: 'killed' | 'frozen' | 'cut off' | 'stopped';
  readonly from: number;
  readonly to: number;
}

const answerTimeoutMs = 1_600;

/** A process with its own line to the broker. It can be killed, frozen (SIGSTOP) and cut off. */
export class Process {
  readonly name: string;
  alive = true;
  diedAt = Number.POSITIVE_INFINITY;
  /** When it was dead, frozen, cut off or stopping: explains why what it ran was started again. */
  readonly troubles: Trouble[] = [];
  protected readonly world: World;
  private readonly clockSkew: number;
  private frozen = false;
  private cut = false;
  private readonly backlog: (() => void)[] = [];
  private readonly asking = new Set<() => void>();

  constructor(world: World, name: string) {
    this.world = world;
    this.name = name;
    this.clockSkew = world.random.chance(0.2) ? world.random.between(-3_600_000, 3_600_000) : 0;
  }

  /** The monotonic clock. */
  get now(): number {
    return this.world.timeline.now;
  }

  get wallClock(): number {
    return this.now + this.clockSkew;
  }

  /** Runs in this process: later if it is frozen, never if it is dead. */
  deliver(act: () => void): void {
    if (!this.alive) return;
    if (this.frozen) this.backlog.push(act);
    else act();
  }

  after(ms: number, act: () => void): void {
    this.world.timeline.after(ms, () => this.deliver(act));
  }

  kill(): void {
    if (!this.alive) return;
    this.troubles.push({ what: 'killed', from: this.now, to: Number.POSITIVE_INFINITY });
    this.exit();
  }

  freeze(ms: number): void {
    if (!this.alive || this.frozen) return;
    this.troubles.push({ what: 'frozen', from: this.now, to: this.now + ms });
    this.frozen = true;
    this.world.timeline.after(ms, () => {
      this.frozen = false;
      while (this.backlog.length > 0 && this.alive && !this.frozen) this.backlog.shift()!();
    });
  }

  /** Nothing goes through for a while. The broker may see its connections close, or see nothing. */
  cutOff(ms: number): void {
    if (!this.alive || this.cut) return;
    this.troubles.push({ what: 'cut off', from: this.now, to: this.now + ms });
    this.cut = true;
    const { timeline, random } = this.world;
    if (random.chance(0.5)) timeline.after(random.between(0, 500), () => this.connectionsClosed());
    timeline.after(ms, () => {
      this.cut = false;
      this.resetConnections();
    });
  }

  /** All connections break, and can be made again at once. */
  resetConnections(): void {
    this.connectionsClosed();
    for (const fail of [...this.asking]) this.after(this.world.random.between(0, 20), fail);
  }

  /** Whether it was in trouble at any moment between. */
  hadTrouble(from: number, to: number): Trouble['what'] | undefined {
    return this.troubles.find((trouble) => trouble.from <= to && trouble.to >= from)?.what;
  }

  /**
   * Asks the broker. `failed` where the request or its answer is lost: whether it took effect is then unknown, and it may
   * yet take effect later.
   */
  call<T>(operation: (broker: Broker) => T, done: (answer: T) => void, failed: () => void): void {
    this.callWaiting<T>((broker, answer) => answer(operation(broker)), done, failed);
  }

  /** The same for an operation that answers when it likes. */
  callWaiting<T>(
    operation: (broker: Broker, answer: (value: T) => void) => void,
    done: (answer: T) => void,
    failed: () => void,
  ): void {
    const { timeline, random, broker } = this.world;
    const settle = (outcome: () => void): void => {
      if (this.asking.delete(fail)) outcome();
    };
    const fail = (): void => settle(failed);
    this.asking.add(fail);
    const perform = (answer: (value: T) => void): void => {
      if (broker.up) operation(broker, answer);
    };
    if (!this.reaches) {
      this.after(random.between(20, 200), fail);
      return;
    }
    this.after(answerTimeoutMs, fail);
    timeline.after(random.between(0, 2), () => {
      const { leaderEpoch } = broker;
      if (!this.reaches || random.chance(this.world.lossRate)) {
        const lot = random.next();
        // Taken, but its answer is lost; or long under way; or lost.
        if (lot < 0.5) perform(() => {});
        else if (lot < 0.7) timeline.after(random.skewed(10, 20_000), () => perform(() => {}));
        this.after(random.between(0, 300), fail);
        return;
      }
      perform((value) =>
        timeline.after(random.between(0, 2), () => {
          if (!this.reaches || broker.leaderEpoch !== leaderEpoch) this.after(random.between(0, 300), fail);
          else this.deliver(() => settle(() => done(value)));
        }),
      );
    });
  }

  /** Ends. The broker learns it from the connections, at once or a moment later. */
  protected exit(): void {
    this.alive = false;
    this.diedAt = this.now;
    this.world.timeline.after(this.world.random.between(0, 500), () => this.connectionsClosed());
  }

  /** The broker sees the connections closed. */
  protected connectionsClosed(): void {}

  private get reaches(): boolean {
    return this.world.broker.up && !this.cut;
  }
}
