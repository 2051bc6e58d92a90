import net from 'node:net';

/**
 * Connects to a port of 127.0.0.1, sends a request, and gives the bytes that come back once `complete` says that they are
 * the whole answer. Rejects where nobody listens, the connection ends early, or it takes over two seconds.
 */
export function askPort(port: number, request: Buffer, complete: (answer: Buffer) => boolean): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: '127.0.0.1', port, timeout: 2_000 });
    let answer = Buffer.alloc(0);
    socket.on('connect', () => socket.write(request));
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk]);
      if (complete(answer)) {
        resolve(answer);
        socket.destroy();
      }
    });
    socket.on('timeout', () => socket.destroy(new Error(`no answer from port ${port}`)));
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`port ${port} closed the connection`)));
  });
}
