import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';
import { reportLeftOpen } from './leftOpen.ts';
import type { Tally } from './tally.ts';

/** Mocha's own `spec` output, and beside it the tally as JSON in the file that the reporter option `output` names. */
export default class TallyingSpec extends Mocha.reporters.Spec {
  readonly #output: string;
  readonly #failures: string[] = [];

  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    this.#output = options.reporterOptions.output;
    runner.on('fail', (test: Mocha.Runnable, error: unknown) => {
      this.#failures.push(`${test.titlePath().join(': ')}: ${firstLine(error)}`);
    });
  }

  override done(failures: number, finish?: (failures: number) => void): void {
    const tally: Tally = { passed: this.stats.passes, failures: this.#failures };
    writeFileSync(this.#output, JSON.stringify(tally));
    reportLeftOpen();
    finish?.(failures);
  }
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.trimStart().split('\n', 1)[0]!;
}
