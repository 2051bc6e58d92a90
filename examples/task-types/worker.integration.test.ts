import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { TaskSucceeded } from '@taskflow/schemas/events';
import { type TaskLogFixture, taskLogFixture } from '@taskflow/workers/testing/taskLogFixture';
import { killWorkerProcesses, startWorkerProcess } from '@taskflow/workers/testing/workerProcess';
import { expect } from 'chai';

const here = import.meta.dirname;

describe('the example of a task type', () => {
  let log: TaskLogFixture;
  before(async () => {
    log = await taskLogFixture(process.env, 'word_count');
  });
  after(async () => {
    await killWorkerProcesses();
    await log?.close();
  });

  it('runs in a worker of its own', async () => {
    await startWorkerProcess('word_count', {}, path.join(here, 'worker.ts'));
    const [taskId] = await log.submit({ text: 'one two three' });
    const ended = () => log.events.find((event) => event.taskId === taskId && event.event === 'TaskSucceeded');
    await log.until(() => ended() !== undefined);
    expect((ended() as TaskSucceeded).result.value).to.equal('{"words":3}');
  });

  it('is what the documentation shows', async () => {
    const page = await readFile(path.join(here, '../../docs/task-types.md'), 'utf8');
    for (const file of ['word_count/task.ts', 'worker.ts', 'word_count/task.unit.test.ts']) {
      expect(page, file).to.contain(await readFile(path.join(here, file), 'utf8'));
    }
  });
});
