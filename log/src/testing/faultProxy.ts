import net from 'node:net';
import { FrameSplitter } from '../wire/frames.ts';

/** What happens to a request and its answer. */
export type Fault =
  /** The broker gets the request; its answer is dropped and the connection cut. */
  | 'loseResponse'
  /** The broker gets the request; its answer is dropped, the connection stays. */
  | 'swallowResponse'
  /** The connection is cut before the broker gets the request. */
  | 'loseRequest'
  /** The answer is held back until `release()`. */
  | 'holdResponse';

export interface FaultRule {
  readonly fault: Fault;
  /** Requests of this API key only. */
  readonly apiKey: number;
  /** The first so many of them; 1 unless set. */
  readonly times?: number;
}

export interface FaultProxy {
  /** `127.0.0.1:port`. */
  readonly address: string;
  readonly port: number;
  /** Connections open at present. */
  readonly connections: number;
  /** Adds a rule. Resolves each time it has struck: `await proxy.inject(…).struck`. */
  inject(rule: FaultRule): { readonly struck: Promise<void> };
  /** Removes all rules, releases what is held, accepts connections again. */
  heal(): void;
  /** Lets held answers go. */
  release(): void;
  /** Cuts every connection at once. */
  cutAll(): void;
  /** Cuts connections as they come, until `heal()`. */
  refuse(): void;
  /** Half-open: connections stay, and no byte passes in either direction until `heal()`. */
  freeze(): void;
  /** Delays everything in both directions. */
  delay(milliseconds: number): void;
  /** How many requests of this API key have reached the proxy so far. */
  seen(apiKey: number): number;
  /** Resolves when the next request of this API key reaches the proxy. */
  nextRequest(apiKey: number): Promise<void>;
  close(): Promise<void>;
}

export interface FaultProxyOptions {
  /** A free one unless given. */
  readonly port?: number;
  /** What passes cannot be read (TLS): no rules then, only the rest. */
  readonly opaque?: boolean;
}

interface Rule {
  readonly fault: Fault;
  readonly apiKey: number;
  left: number;
  struck(): void;
}

const maxFrameBytes = 256 * 1024 * 1024;

/**
 * A TCP proxy before a broker that knows where a request begins and ends, and spoils what a test tells it to. It rewrites
 * nothing, so the broker must advertise the proxy's address on the listener behind it (`advertised.listeners`).
 */
export async function startFaultProxy(
  target: { host: string; port: number },
  options: FaultProxyOptions = {},
): Promise<FaultProxy> {
  const { port = 0, opaque = false } = options;
  const links = new Set<Link>();
  const rules: Rule[] = [];
  const counts = new Map<number, number>();
  const awaited: { apiKey: number; resolve: () => void }[] = [];
  let refusing = false;
  let frozen = false;
  let delayMs = 0;

  const onRequest = (apiKey: number): Fault | undefined => {
    counts.set(apiKey, (counts.get(apiKey) ?? 0) + 1);
    for (const waiting of awaited.filter((entry) => entry.apiKey === apiKey)) {
      awaited.splice(awaited.indexOf(waiting), 1);
      waiting.resolve();
    }
    const rule = rules.find((candidate) => candidate.apiKey === apiKey && candidate.left > 0);
    if (!rule) return undefined;
    rule.left--;
    rule.struck();
    return rule.fault;
  };

  const server = net.createServer((client) => {
    if (refusing) {
      client.destroy();
      return;
    }
    const link = new Link(client, net.connect(target), {
      opaque,
      onRequest,
      isFrozen: () => frozen,
      delayMs: () => delayMs,
    });
    links.add(link);
    link.onEnd = () => links.delete(link);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const listening = (server.address() as net.AddressInfo).port;
  const cutAll = () => {
    for (const link of [...links]) link.end();
  };
  const release = () => {
    for (const link of links) link.release();
  };

  return {
    address: `127.0.0.1:${listening}`,
    port: listening,
    get connections() {
      return links.size;
    },
    inject({ fault, apiKey, times = 1 }) {
      const { promise, resolve } = Promise.withResolvers<void>();
      rules.push({ fault, apiKey, left: times, struck: resolve });
      return { struck: promise };
    },
    heal() {
      rules.length = 0;
      refusing = false;
      frozen = false;
      delayMs = 0;
      release();
      for (const link of links) link.thaw();
    },
    release,
    cutAll,
    refuse() {
      refusing = true;
    },
    freeze() {
      frozen = true;
    },
    delay(milliseconds) {
      delayMs = milliseconds;
    },
    seen: (apiKey) => counts.get(apiKey) ?? 0,
    nextRequest: (apiKey) => new Promise((resolve) => awaited.push({ apiKey, resolve })),
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      cutAll();
      await closed;
    },
  };
}

interface LinkControl {
  readonly opaque: boolean;
  onRequest(apiKey: number): Fault | undefined;
  isFrozen(): boolean;
  delayMs(): number;
}

/** One client's connection and the proxy's own to the broker. */
class Link {
  onEnd: () => void = () => {};
  readonly #client: net.Socket;
  readonly #broker: net.Socket;
  readonly #control: LinkControl;
  /** By correlation id, which the client numbers within its connection. */
  readonly #spoiled = new Map<number, Fault>();
  readonly #held: Buffer[] = [];
  readonly #frozen: (() => void)[] = [];

  constructor(client: net.Socket, broker: net.Socket, control: LinkControl) {
    this.#client = client;
    this.#broker = broker;
    this.#control = control;
    if (control.opaque) {
      this.#watch(client, (data) => this.#write(broker, data));
      this.#watch(broker, (data) => this.#write(client, data));
    } else {
      this.#watch(
        client,
        framed((frame) => this.#request(frame)),
      );
      this.#watch(
        broker,
        framed((frame) => this.#response(frame)),
      );
    }
  }

  end(): void {
    this.#client.destroy();
    this.#broker.destroy();
    this.onEnd();
  }

  release(): void {
    for (const frame of this.#held.splice(0)) this.#pass(this.#client, frame);
  }

  thaw(): void {
    for (const pass of this.#frozen.splice(0)) pass();
  }

  #watch(socket: net.Socket, onData: (data: Buffer) => void): void {
    socket.setNoDelay(true);
    socket.on('data', onData);
    socket.on('error', () => this.end());
    socket.on('close', () => {
      if (this.#control.isFrozen()) return;
      this.end();
    });
  }

  #request(frame: Buffer): void {
    const fault = this.#control.onRequest(frame.readInt16BE(0));
    if (fault === 'loseRequest') {
      this.end();
      return;
    }
    if (fault) this.#spoiled.set(frame.readInt32BE(4), fault);
    this.#pass(this.#broker, frame);
  }

  #response(frame: Buffer): void {
    const correlationId = frame.readInt32BE(0);
    const fault = this.#spoiled.get(correlationId);
    this.#spoiled.delete(correlationId);
    if (fault === 'loseResponse') this.end();
    else if (fault === 'holdResponse') this.#held.push(frame);
    else if (fault !== 'swallowResponse') this.#pass(this.#client, frame);
  }

  #pass(to: net.Socket, frame: Buffer): void {
    const length = Buffer.allocUnsafe(4);
    length.writeInt32BE(frame.length);
    this.#write(to, Buffer.concat([length, frame]));
  }

  #write(to: net.Socket, data: Buffer): void {
    const write = () => {
      if (this.#control.isFrozen()) this.#frozen.push(write);
      else if (!to.destroyed) to.write(data);
    };
    const delayMs = this.#control.delayMs();
    if (delayMs > 0) setTimeout(write, delayMs);
    else write();
  }
}

function framed(onFrame: (frame: Buffer) => void): (data: Buffer) => void {
  const frames = new FrameSplitter(maxFrameBytes);
  return (data) => frames.push(data, onFrame);
}
