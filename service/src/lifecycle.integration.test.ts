import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'chai';

const here = (file: string) => JSON.stringify(path.join(import.meta.dirname, file));

/** A service whose `start` is the given code. */
class Service {
  readonly #process: ChildProcess;
  readonly lines: Record<string, unknown>[] = [];
  readonly ended: Promise<number | null>;
  #onLine = () => {};

  constructor(start: string, stopTimeoutMs = 5_000) {
    const program = `
      import { runService } from ${here('lifecycle.ts')};
      import { createLogger } from ${here('logger.ts')};
      const logger = createLogger({ service: 'test', level: 'info' });
      setInterval(() => {}, 1000);
      runService({ name: 'test', logger, stopTimeoutMs: ${stopTimeoutMs}, async start({ stopping, onStop, fail }) { ${start} } });`;
    this.#process = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.ended = once(this.#process, 'close').then(([code]) => code as number | null);
    createInterface({ input: this.#process.stdout! }).on('line', (line) => {
      this.lines.push(JSON.parse(line) as Record<string, unknown>);
      this.#onLine();
    });
  }

  messages(): unknown[] {
    return this.lines.map((line) => line.message);
  }

  async says(message: string): Promise<void> {
    while (!this.messages().includes(message)) {
      await new Promise<void>((resolve) => {
        this.#onLine = resolve;
      });
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }
}

describe('runService', () => {
  it('stops in reverse order on SIGTERM, and ends with code 0', async () => {
    const service = new Service(`
      onStop('first', () => logger.info('first stops'));
      onStop('second', async () => logger.info('second stops'));`);
    await service.says('test started');
    service.signal('SIGTERM');
    expect(await service.ended).to.equal(0);
    expect(service.messages()).to.deep.equal([
      'test started',
      'test stops on SIGTERM',
      'second stops',
      'first stops',
      'test stopped',
    ]);
  });

  it('tells a start that still waits to end', async () => {
    const service = new Service(`
      onStop('first', () => logger.info('first stops'));
      logger.info('waiting');
      await new Promise((_, reject) => { stopping.onabort = () => reject(stopping.reason); });`);
    await service.says('waiting');
    service.signal('SIGINT');
    expect(await service.ended).to.equal(0);
    expect(service.messages()).to.include('first stops').and.not.include('test could not start');
  });

  it('ends with code 1 when stopping takes too long', async () => {
    const service = new Service(`onStop('stuck', () => new Promise(() => {}));`, 100);
    await service.says('test started');
    service.signal('SIGTERM');
    expect(await service.ended).to.equal(1);
    expect(service.messages()).to.include('test did not stop within 100 ms, the process ends');
  });

  it('stops what it had started when the start fails, and ends with code 1', async () => {
    const service = new Service(`
      onStop('first', () => logger.info('first stops'));
      throw new Error('no broker');`);
    expect(await service.ended).to.equal(1);
    expect(service.messages()).to.deep.equal(['test could not start', 'first stops', 'test stopped']);
  });

  it('stops with code 1 when a part cannot go on', async () => {
    const service = new Service(`
      onStop('first', () => logger.info('first stops'));
      setImmediate(() => fail(new Error('gap')));`);
    expect(await service.ended).to.equal(1);
    expect(service.messages()).to.include('test cannot go on').and.include('first stops');
  });

  for (const [what, code] of [
    ['Uncaught exception', `setImmediate(() => { throw new Error('oops'); });`],
    ['Unhandled rejection', `void Promise.reject(new Error('oops'));`],
  ] as const) {
    it(`writes one line and ends with code 1 on an ${what.toLowerCase()}`, async () => {
      const service = new Service(`${code} await new Promise(() => {});`);
      expect(await service.ended).to.equal(1);
      expect(service.messages()).to.deep.equal([`${what}, the process ends`]);
      expect(service.lines[0]).to.have.nested.property('error.message', 'oops');
    });
  }
});
