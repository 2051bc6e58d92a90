import { isIPv4, isIPv6 } from 'node:net';
import { z } from 'zod';

/** A channel's target, in the words of gRPC, and how many workers it names; `many` where a name server says. */
export interface PreviewTarget {
  readonly target: string;
  readonly workers: number | 'many';
}

/**
 * Where the workers are that run previews: IP addresses with ports (`10.0.0.1:9300,10.0.0.2:9300`), or one name with a port
 * (`go-workers:9300`), all of whose addresses are used. Empty: there are none.
 */
export const previewTarget = z
  .string()
  .transform((text) => text.split(',').map((part) => part.trim()))
  .transform((parts) => parts.filter((part) => part !== ''))
  .transform((parts, context): PreviewTarget | undefined => {
    if (parts.length === 0) return undefined;
    const hosts = parts.map(hostOf);
    if (hosts.every((host) => host !== undefined && isIPv4(host))) {
      return { target: `ipv4:${parts.join()}`, workers: parts.length };
    }
    if (hosts.every((host) => host !== undefined && isIPv6(host))) {
      return { target: `ipv6:${parts.join()}`, workers: parts.length };
    }
    const [only] = hosts;
    if (parts.length === 1 && only !== undefined && /^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(only)) {
      return { target: `dns:///${parts[0]}`, workers: 'many' };
    }
    context.addIssue({
      code: 'custom',
      message: 'must be IP addresses with ports, separated by commas, or one name:port',
    });
    return z.NEVER;
  });

function hostOf(address: string): string | undefined {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(address) ?? [];
  return Number(port) >= 1 && Number(port) <= 65_535 ? (bracketed ?? plain) : undefined;
}
