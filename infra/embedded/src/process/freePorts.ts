import { takenPorts } from './ports.ts';

/**
 * So many different ports on which nobody listens now. They lie below the range from which Linux takes the ports of
 * outgoing connections, so that a server that is stopped for a while finds its port free again.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const candidate = 10_000 + Math.floor(Math.random() * 10_000);
    if ((await takenPorts([candidate])).length === 0) ports.add(candidate);
  }
  return [...ports];
}
