import { createHash } from 'node:crypto';
import { mkdirSync, realpathSync } from 'node:fs';
import net from 'node:net';

/**
 * Claims a state folder for this process; false where another living process has it. The claim is a socket in Linux's
 * abstract namespace, so the kernel gives it up with the process, however that ends, and no file is left to go stale.
 */
export function lockState(stateDir: string): Promise<boolean> {
  mkdirSync(stateDir, { recursive: true });
  const name = createHash('sha256').update(realpathSync(stateDir)).digest('hex');
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
    );
    server.listen(`\0taskflow-${name}`, () => {
      server.unref();
      resolve(true);
    });
  });
}
