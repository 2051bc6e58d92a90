// A broker for a test in another language: `broker.mjs <options of startBroker, as JSON>`. Obeys the words start, stop and kill, a
// line each, and answers each when it is done; ends with its input.
import { createInterface } from 'node:readline';
import { startBroker } from '@taskflow/embedded/broker';

const broker = await startBroker(JSON.parse(process.argv[2]));
console.log('started');
for await (const word of createInterface({ input: process.stdin })) {
  if (word === 'start') await broker.start();
  else if (word === 'stop') await broker.stop();
  else await broker.kill();
  console.log({ start: 'started', stop: 'stopped', kill: 'killed' }[word]);
}
await broker.kill();
process.exit(0);
