import zlib from 'node:zlib';
import { UnsupportedCompressionError } from '../errors.ts';

/** A batch cannot hold more than the broker's largest message many times over; what decompresses beyond is refused. */
const maxOutputLength = 256 * 1024 * 1024;
const names = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

/** The records of a compressed batch. gzip (1) and zstd (4, KIP-110); there is no snappy or lz4 in Node. */
export function decompress(codec: number, data: Buffer): Buffer {
  if (codec === 1) return zlib.gunzipSync(data, { maxOutputLength });
  if (codec === 4) return zlib.zstdDecompressSync(data, { maxOutputLength });
  throw new UnsupportedCompressionError(names[codec] ?? `codec ${codec}`);
}
