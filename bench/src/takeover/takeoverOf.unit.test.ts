import { expect } from 'chai';
import type { TaskRun } from '../log/taskRuns.ts';
import { takeoverOf } from './takeoverOf.ts';

const KILLED_AT = 1_000;

const run = (taskId: string, worker: string, startedAt: number, more: Partial<TaskRun> = {}): TaskRun => ({
  taskId,
  priority: 'normal',
  workerId: `${worker}.4711.k3x9`,
  delivery: 1,
  startedAt,
  endedAt: startedAt + 100,
  endAppendedAt: startedAt + 100,
  ...more,
});
const lost = (taskId: string, startedAt: number) => run(taskId, 'victim', startedAt, { endedAt: undefined });

describe('takeoverOf', () => {
  it('takes what the victim had started and another started again', () => {
    const runs = [lost('a', 900), lost('b', 950), run('a', 'other', 2_000, { delivery: 2 })];
    expect(takeoverOf(runs, 'victim', KILLED_AT)).to.deep.equal({
      started: 2,
      onlyGiven: 0,
      waits: [1_000],
      needless: 0,
    });
  });

  it('takes what the victim had been given, which another started first', () => {
    const runs = [run('a', 'other', 500, { delivery: 2 }), run('b', 'other', 2_500, { delivery: 2 })];
    expect(takeoverOf(runs, 'victim', KILLED_AT)).to.deep.equal({
      started: 0,
      onlyGiven: 1,
      waits: [1_500],
      needless: 0,
    });
  });

  it('counts starts of what had ended, of what others run, and a third start', () => {
    const runs = [
      run('ended', 'victim', 100),
      run('ended', 'other', 2_000),
      run('others', 'other', 900),
      run('others', 'third', 2_000),
      lost('thrice', 900),
      run('thrice', 'other', 2_000),
      run('thrice', 'third', 2_100),
    ];
    expect(takeoverOf(runs, 'victim', KILLED_AT).needless).to.equal(3);
  });
});
