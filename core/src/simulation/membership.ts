import type { Worker } from './worker.ts';
import type { World } from './world.ts';

/** What a worker knows of its session with the broker. */
export interface Session {
  readonly connection: number;
  readonly leaderEpoch: number;
  readonly groupStart: number;
  readonly eventsEnds: readonly number[];
  readonly lastEventsOfOldLeader: readonly (number | undefined)[];
  readonly openedAt: number;
}

/** The one session of a worker: opened again whenever it is lost. */
export class Membership {
  current: Session | undefined;
  private opening = false;
  private readonly worker: Worker;
  private readonly world: World;

  constructor(worker: Worker, world: World) {
    this.worker = worker;
    this.world = world;
  }

  open(): void {
    if (this.current || this.opening || this.worker.stopping) return;
    this.opening = true;
    const again = (): void =>
      this.worker.after(this.world.random.between(50, 300), () => {
        this.opening = false;
        this.open();
      });
    this.worker.call(
      (broker) => broker.connect(),
      (connection) =>
        // Asked behind the opening, in a request of its own.
        this.worker.call(
          (broker) => ({
            open: broker.isOpen(connection),
            leaderEpoch: broker.leaderEpoch,
            groupStart: broker.group.storedStart,
            eventsEnds: broker.events.map((log) => log.length),
            lastEventsOfOldLeader: broker.events.map((_, partition) => broker.lastEventOfOldLeader(partition)),
          }),
          ({ open, ...known }) => {
            if (!open) return again();
            this.opening = false;
            this.current = { connection, ...known, openedAt: this.worker.now };
            this.worker.fetch();
          },
          again,
        ),
      again,
    );
  }

  lost(session: Session): void {
    if (this.current !== session) return;
    this.current = undefined;
    this.world.timeline.after(0, () => this.world.broker.close(session.connection));
    for (const run of [...this.worker.runs.values()]) {
      if (run.connection !== session.connection || run.isHandedOver) continue;
      run.hold = { ...run.hold, lockLost: true };
      this.worker.upkeep.tend(run);
    }
    this.open();
  }
}
