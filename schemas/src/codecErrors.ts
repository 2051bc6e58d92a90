/** The value names a schema that the codec does not know yet: fetch it from the registry, give it to `learn`, decode again. */
export class UnknownSchemaError extends Error {
  readonly schemaId: number;

  constructor(schemaId: number) {
    super(`Schema ${schemaId} is not known here yet: fetch it from the registry and let the codec learn it`);
    this.name = 'UnknownSchemaError';
    this.schemaId = schemaId;
  }
}

/** The value is intact, but holds a record that this version of the contract does not have: pass over it, it is no poison. */
export class UnknownRecordError extends Error {
  readonly schemaId: number;
  readonly recordName: string;

  constructor(schemaId: number, recordName: string) {
    super(`Schema ${schemaId} is of ${recordName}, a record that this version does not know: upgrade to read it`);
    this.name = 'UnknownRecordError';
    this.schemaId = schemaId;
    this.recordName = recordName;
  }
}

/** The value cannot be a record of the contract, whoever tries: park it as poison. */
export class UndecodableError extends Error {
  readonly reason: string;

  constructor(reason: string, options?: ErrorOptions) {
    super(`The value cannot be decoded: ${reason}`, options);
    this.name = 'UndecodableError';
    this.reason = reason;
  }
}

/** The record that was to be written breaks its own schema: a fault of the program that made it. */
export class UnencodableError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'UnencodableError';
  }
}
