/** Bytes before the Avro body of a record's value (Confluent wire format): a magic 0, then the schema id, big-endian. */
export const headerBytes = 5;

const magic = 0;

/** The schema id in the first five bytes, or undefined where the value is not in wire format. */
export function schemaIdOf(value: Buffer): number | undefined {
  return value.length >= headerBytes && value[0] === magic ? value.readUInt32BE(1) : undefined;
}

/** Writes the five bytes at `position`, where the buffer must have room for them. */
export function writeHeader(buffer: Buffer, position: number, schemaId: number): void {
  buffer[position] = magic;
  buffer.writeUInt32BE(schemaId, position + 1);
}
