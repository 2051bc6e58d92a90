import { MalformedResponseError } from '../errors.ts';

const lengthBytes = 4;

/** Cuts what a socket delivers into the frames of the protocol: four bytes of length, then as many bytes. */
export class FrameSplitter {
  readonly #maxFrameBytes: number;
  readonly #length = Buffer.alloc(lengthBytes);
  #lengthRead = 0;
  /** The frame that has begun, and how much of it has come. */
  #frame: Buffer | undefined;
  #frameRead = 0;

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  /**
   * Gives every frame that is complete now to `onFrame`, without its length. Each is a buffer of its own, into which its bytes are
   * copied once; the chunk may be overwritten afterwards.
   */
  push(chunk: Buffer, onFrame: (frame: Buffer) => void): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#frame === undefined) {
        at += this.#readLength(chunk, at);
        continue;
      }
      const copied = chunk.copy(this.#frame, this.#frameRead, at);
      at += copied;
      this.#frameRead += copied;
      if (this.#frameRead < this.#frame.length) return;
      const frame = this.#frame;
      this.#frame = undefined;
      onFrame(frame);
    }
  }

  /** Begins a frame when its length is complete. Gives how many bytes it has used. */
  #readLength(chunk: Buffer, at: number): number {
    const copied = chunk.copy(this.#length, this.#lengthRead, at);
    this.#lengthRead += copied;
    if (this.#lengthRead === lengthBytes) {
      this.#frame = Buffer.allocUnsafe(this.#checked(this.#length.readInt32BE(0)));
      this.#lengthRead = 0;
      this.#frameRead = 0;
    }
    return copied;
  }

  #checked(length: number): number {
    if (length >= lengthBytes && length <= this.#maxFrameBytes) return length;
    throw new MalformedResponseError(
      `a response of ${length} bytes is announced (limit ${this.#maxFrameBytes}): is this a Kafka listener, and is TLS set alike on both sides?`,
    );
  }
}
