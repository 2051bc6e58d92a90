/**
 * One running system for all black-box tests of a run: Mocha's global fixture starts it before the first test and stops
 * it after the last, whatever failed.
 */
import { type RunningSystem, startSystem } from '@taskflow/embedded/system';
import { type RestClient, restClient } from './restClient.ts';

const BASE_PORT_VARIABLE = 'TASKFLOW_E2E_BASE_PORT';

let running: RunningSystem | undefined;

export async function mochaGlobalSetup(): Promise<void> {
  running = await startSystem({
    basePort: Number(process.env[BASE_PORT_VARIABLE] ?? 20_000),
    goWorkers: 1,
    brief: true,
    // The tests' own site, and nothing else of the loopback network.
    environment: { TASKFLOW_FETCH_ALLOW: '127.0.0.1/32' },
  });
}

export async function mochaGlobalTeardown(): Promise<void> {
  await running?.stop();
}

/** The running system and a client of its API. May be called while tests are declared; works once they run. */
export function theSystem(): { readonly client: RestClient; readonly system: () => RunningSystem } {
  const system = (): RunningSystem => {
    if (running === undefined) throw new Error('the system runs only while tests do: ask for it in a hook or a test');
    return running;
  };
  return { system, client: restClient(() => ({ apiUrl: system().apiUrl, key: system().key })) };
}
