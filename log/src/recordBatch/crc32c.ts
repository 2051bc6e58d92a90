/** The polynomial of Castagnoli, bits reversed. `node:zlib` has only the other CRC-32. */
const polynomial = 0x82f63b78;
const slices = 8;
const tables = buildTables();

function buildTables(): Int32Array {
  const table = new Int32Array(256 * slices);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    table[byte] = crc;
  }
  for (let byte = 0; byte < 256; byte++) {
    let crc = table[byte]!;
    for (let slice = 1; slice < slices; slice++) {
      crc = (crc >>> 8) ^ table[crc & 255]!;
      table[slice * 256 + byte] = crc;
    }
  }
  return table;
}

/** CRC-32C of `buffer` from `start` to before `end`, eight bytes a step ("slicing by 8"). */
export function crc32c(buffer: Buffer, start = 0, end = buffer.length): number {
  let crc = -1;
  let at = start;
  for (; at + slices <= end; at += slices) {
    crc ^= buffer[at]! | (buffer[at + 1]! << 8) | (buffer[at + 2]! << 16) | (buffer[at + 3]! << 24);
    crc =
      tables[1792 + (crc & 255)]! ^
      tables[1536 + ((crc >>> 8) & 255)]! ^
      tables[1280 + ((crc >>> 16) & 255)]! ^
      tables[1024 + (crc >>> 24)]! ^
      tables[768 + buffer[at + 4]!]! ^
      tables[512 + buffer[at + 5]!]! ^
      tables[256 + buffer[at + 6]!]! ^
      tables[buffer[at + 7]!]!;
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ tables[(crc ^ buffer[at]!) & 255]!;
  return (crc ^ -1) >>> 0;
}
