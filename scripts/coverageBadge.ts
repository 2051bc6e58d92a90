/**
 * Writes coverage/badge.json, from which shields.io draws the badge of the README, out of the summary that
 * `make coverage` has written.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const summary = JSON.parse(readFileSync('coverage/coverage-summary.json', 'utf8')) as {
  total: { lines: { pct: number } };
};
const percent = Math.floor(summary.total.lines.pct);
const color = percent >= 90 ? 'brightgreen' : percent >= 75 ? 'yellow' : 'red';

writeFileSync(
  'coverage/badge.json',
  `${JSON.stringify({ schemaVersion: 1, label: 'coverage', message: `${percent} %`, color })}\n`,
);
