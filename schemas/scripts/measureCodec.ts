/** Prints how many TaskStarted records a second the codec encodes and decodes on this machine. */
import { createCodec } from '../src/codec.ts';
import { recordNames, type TaskStarted } from '../src/events.ts';

const codec = createCodec(new Map(recordNames.map((name, index) => [name, index + 1])));
const record: TaskStarted = {
  event: 'TaskStarted',
  taskId: '01920000-0000-7000-8000-000000000001',
  generation: 0,
  attempt: 1,
  workerId: 'worker-1.4711.k3x9',
  eventId: '01920000-0000-7000-8000-000000000002',
  userId: '00000000-0000-4000-8000-000000000001',
  type: 'web_scrape',
  priority: 'normal',
  occurredAt: 1_760_000_000_000,
  runId: null,
  stepId: null,
  delivery: 1,
  starts: 1,
  leaseMs: 30_000,
  queuePartition: 0,
  queueOffset: 123_456,
};
const value = codec.encode(record);

function measure(what: string, once: () => void): void {
  const rounds = 1_000_000;
  for (let i = 0; i < rounds / 10; i++) once();
  const start = performance.now();
  for (let i = 0; i < rounds; i++) once();
  const seconds = (performance.now() - start) / 1000;
  console.log(`${what} ${value.length} bytes: ${Math.round(rounds / seconds).toLocaleString('en')} a second`);
}

for (let i = 0; i < 3; i++) {
  measure('encode', () => codec.encode(record));
  measure('decode', () => codec.decode(value));
}
