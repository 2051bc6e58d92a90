import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';
import { reportLeftOpen } from './leftOpen.ts';
import type { Tally } from './tally.ts';

/** Mocha's own `spec` output, and beside it the counts as JSON in the file that the reporter option `output` names. */
export default class CountingSpec extends Mocha.reporters.Spec {
  readonly #output: string;

  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    this.#output = options.reporterOptions.output;
  }

  override done(failures: number, finish?: (failures: number) => void): void {
    const tally: Tally = { passed: this.stats.passes, failed: this.stats.failures };
    writeFileSync(this.#output, JSON.stringify(tally));
    reportLeftOpen();
    finish?.(failures);
  }
}
