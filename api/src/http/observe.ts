import type { Ports } from '../ports.ts';
import type { Problem } from './problem.ts';

interface Seen {
  readonly requestId: string;
  readonly method: string;
  readonly problem?: Problem;
}

/** Notes an answer in metrics and log. */
export type Observe = (status: number, startedAt: number, seen: Seen) => void;

/**
 * Metrics and access log of one endpoint. Labels are the pattern of the address, never the address, so their number is
 * bounded; each status's histogram child is looked up once. An access line is written at level debug; a failure of the
 * server (5xx) is written always, with its cause.
 */
export function endpointObserver(ports: Ports, method: string, route: string): Observe {
  const children = new Map<number, { observe(seconds: number): void }>();
  return (status, startedAt, seen) => {
    const seconds = (performance.now() - startedAt) / 1000;
    let child = children.get(status);
    if (child === undefined) {
      child = ports.metrics.requestSeconds.labels({ method, route, status: String(status) });
      children.set(status, child);
    }
    child.observe(seconds);
    if (status < 500 && !ports.accessLog) return;
    const fields = {
      requestId: seen.requestId,
      method: seen.method,
      route,
      status,
      ms: Math.round(seconds * 1e6) / 1e3,
    };
    if (status < 500) {
      ports.logger.debug('request', seen.problem === undefined ? fields : { ...fields, problem: seen.problem.kind });
    } else {
      const { problem } = seen;
      const level = status === 501 ? 'debug' : status === 500 ? 'error' : 'warn';
      ports.logger[level]('request failed', {
        ...fields,
        problem: problem?.kind,
        detail: problem?.message,
        cause: problem?.cause instanceof Error ? (problem.cause.stack ?? problem.cause.message) : problem?.cause,
      });
    }
  };
}
