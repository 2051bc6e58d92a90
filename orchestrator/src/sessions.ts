import { indexedSession } from '@taskflow/service/postgresSessions';

/** Where positions and rows move together, what PostgreSQL loses in a crash is read again: such a commit need not wait for the disk. */
export const foldSession: Readonly<Record<string, string>> = { ...indexedSession, synchronous_commit: 'off' };
