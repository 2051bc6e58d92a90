import { MalformedResponseError } from '../errors.ts';

const lengthBytes = 4;

/** Cuts what a socket delivers into the frames of the protocol: four bytes of length, then as many bytes. */
export class FrameSplitter {
  readonly #maxFrameBytes: number;
  #chunks: Buffer[] = [];
  #buffered = 0;
  #needed = lengthBytes;

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** Gives every frame that is complete now to `onFrame`, without its length. Chunks are joined once a frame, not once a chunk. */
  push(chunk: Buffer, onFrame: (frame: Buffer) => void): void {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    while (this.#buffered >= this.#needed) {
      const buffer = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks, this.#buffered);
      const end = lengthBytes + this.#lengthOf(buffer);
      if (buffer.length < end) {
        this.#chunks = [buffer];
        this.#needed = end;
        return;
      }
      this.#chunks = [buffer.subarray(end)];
      this.#buffered = buffer.length - end;
      this.#needed = lengthBytes;
      onFrame(buffer.subarray(lengthBytes, end));
    }
  }

  #lengthOf(buffer: Buffer): number {
    const length = buffer.readInt32BE(0);
    if (length >= lengthBytes && length <= this.#maxFrameBytes) return length;
    throw new MalformedResponseError(
      `a response of ${length} bytes is announced (limit ${this.#maxFrameBytes}): is this a Kafka listener, and is TLS set alike on both sides?`,
    );
  }
}
