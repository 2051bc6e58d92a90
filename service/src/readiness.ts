/** How one thing that a service needs is doing. `failing` makes the service not ready; `degraded` is told, and no more. */
export type CheckState = { readonly state: 'ok' } | { readonly state: 'degraded' | 'failing'; readonly reason: string };

/** Looks at real progress (positions that move, a query that answers), not at whether an object exists. */
export type Probe = () => CheckState | Promise<CheckState>;

export interface ReadinessReport {
  readonly status: 'ready' | 'degraded' | 'not-ready';
  readonly checks: Readonly<Record<string, CheckState>>;
}

/** A check that its owner sets when something happens to it. */
export interface Check {
  ok(): void;
  degraded(reason: string): void;
  failing(reason: string): void;
}

export interface Readiness {
  /** A check that is set; `failing` with `initially` as its reason until then. */
  check(name: string, initially?: string): Check;
  /** A check that is asked at each report; an error or more than two seconds is `failing`. */
  probe(name: string, probe: Probe): void;
  report(): Promise<ReadinessReport>;
}

const PROBE_LIMIT_MS = 2_000;

export const OK: CheckState = Object.freeze({ state: 'ok' });

export function createReadiness(): Readiness {
  const probes = new Map<string, Probe>();
  const add = (name: string, probe: Probe) => {
    if (probes.has(name)) throw new Error(`Readiness check ${name} is declared twice`);
    probes.set(name, probe);
  };
  return {
    check(name, initially = 'starting') {
      let current: CheckState = { state: 'failing', reason: initially };
      add(name, () => current);
      return {
        ok: () => {
          current = OK;
        },
        degraded: (reason) => {
          current = { state: 'degraded', reason };
        },
        failing: (reason) => {
          current = { state: 'failing', reason };
        },
      };
    },
    probe: add,
    async report() {
      const checks = Object.fromEntries(
        await Promise.all([...probes].map(async ([name, probe]) => [name, await ask(probe)] as const)),
      );
      const states = Object.values(checks).map((check) => check.state);
      const status = states.includes('failing') ? 'not-ready' : states.includes('degraded') ? 'degraded' : 'ready';
      return { status, checks };
    },
  };
}

async function ask(probe: Probe): Promise<CheckState> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<CheckState>((resolve) => {
    timer = setTimeout(resolve, PROBE_LIMIT_MS, {
      state: 'failing',
      reason: `no answer within ${PROBE_LIMIT_MS} ms`,
    });
  });
  try {
    return await Promise.race([probe(), late]);
  } catch (error) {
    return { state: 'failing', reason: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}
