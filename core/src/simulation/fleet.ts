import type { Database, Place } from './database.ts';
import { Orchestrator } from './orchestrator.ts';
import type { Process } from './process.ts';
import { Worker } from './worker.ts';
import type { World } from './world.ts';

/** The processes of a run: those that live, and new ones in place of the dead. */
export class Fleet {
  readonly workers: Worker[] = [];
  readonly orchestrators: Orchestrator[] = [];
  readonly database: Database;
  private readonly world: World;
  private readonly places: readonly Place[];
  private names = 0;
  private generations = 0;

  constructor(world: World, database: Database) {
    this.world = world;
    this.database = database;
    this.places = [...world.broker.events.keys(), 'queue'];
  }

  get livingWorkers(): Worker[] {
    return this.workers.filter(({ alive }) => alive);
  }

  get livingOrchestrators(): Orchestrator[] {
    return this.orchestrators.filter(({ alive }) => alive);
  }

  addWorker(slots: number): void {
    this.workers.push(new Worker(this.world, `worker-${++this.names}`, slots));
  }

  addOrchestrator(): void {
    this.orchestrators.push(new Orchestrator(this.world, `orchestrator-${++this.names}`, this.database));
    this.rebalance();
  }

  /** Something ends that process, and its supervisor starts another one. */
  replace(process: Process, slots: number, afterMs: number): void {
    const isWorker = process instanceof Worker;
    this.world.timeline.after(afterMs, () => (isWorker ? this.addWorker(slots) : this.addOrchestrator()));
    // The group notices the loss of an orchestrator late.
    if (!isWorker) this.world.timeline.after(this.world.random.between(500, 10_000), () => this.rebalance());
  }

  /** Shares out the partitions anew. Each member hears of it in its own time: for a moment two may believe they have one. */
  rebalance(): void {
    const members = this.world.random.shuffled(this.livingOrchestrators);
    const generation = ++this.generations;
    for (const [i, member] of members.entries()) {
      const share = this.places.filter((_, n) => n % members.length === i);
      member.after(this.world.random.between(0, 2_000), () => member.assign(share, generation));
    }
  }
}
