import { serverParts, stackEnvironment } from './starter/parts.ts';
import { runBeside } from './starter/runBeside.ts';

/** Moves all ports of the stack for tests, so that several developers can test on one machine. */
export const basePortVariable = 'TASKFLOW_TEST_BASE_PORT';

export interface TestStack {
  /** The variables by which the project's programs and tests find the stack. */
  readonly environment: Readonly<Record<string, string>>;
  /** Ends the servers and removes their data. */
  stop(): Promise<void>;
}

/**
 * Starts the whole stack, empty, in a temporary folder: Kafka, registry, PostgreSQL, Redis, MongoDB-wire server, S3 server.
 * It ends with this process, however that ends.
 *
 * The ports are `basePort` + 92 (Kafka), 93 (its controller), 81 (registry), 432 (PostgreSQL), 379 (Redis), 17 (MongoDB), 290 (S3).
 * The servers' logs stay in `.taskflow/test/<basePort>/`.
 */
export async function startTestStack(basePort = basePortFromEnvironment()): Promise<TestStack> {
  const { settings, stop } = await runBeside({ basePort, movedBy: basePortVariable, workers: 0 }, (settings) =>
    serverParts(settings, { brief: true }),
  );
  return { environment: stackEnvironment(settings), stop };
}

function basePortFromEnvironment(): number {
  const text = process.env[basePortVariable] || '30000';
  const basePort = Number(text);
  if (!/^\d+$/.test(text) || basePort < 1024 || basePort > 65_000) {
    throw new Error(`${basePortVariable} must be a port number from 1024 to 65000, not ${JSON.stringify(text)}`);
  }
  return basePort;
}
