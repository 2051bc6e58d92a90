import { timingSafeEqual } from 'node:crypto';
import { Problem } from './problem.ts';

/** Who asks: every read and write is done in the name of one. */
export interface Principal {
  readonly userId: string;
  /** An `admin` sees the tasks of all users, a `user` only its own. */
  readonly role: 'admin' | 'user';
}

export interface ApiKey {
  readonly key: string;
  readonly principal: Principal;
}

/** Finds the principal of an `Authorization` header, or throws the problem `unauthorized`. */
export type Authenticate = (authorization: string | undefined) => Principal;

const PREFIX = 'bearer ';

/** Authentication by a list of API keys, each compared in constant time, all of them each time. */
export function authenticateByKeys(keys: readonly ApiKey[]): Authenticate {
  const known = keys.map(({ key, principal }) => ({ bytes: Buffer.from(key), principal }));
  return (authorization) => {
    if (authorization === undefined) throw unauthorized('Send the header "Authorization: Bearer <API key>".');
    if (authorization.slice(0, PREFIX.length).toLowerCase() !== PREFIX) {
      throw unauthorized('The Authorization header must be "Bearer <API key>".');
    }
    const given = Buffer.from(authorization.slice(PREFIX.length).trim());
    let found: Principal | undefined;
    for (const { bytes, principal } of known) {
      if (bytes.length === given.length && timingSafeEqual(bytes, given)) found = principal;
    }
    if (found === undefined) throw unauthorized('The API key is not known.');
    return found;
  };
}

function unauthorized(detail: string): Problem {
  return new Problem('unauthorized', detail, { headers: { 'WWW-Authenticate': 'Bearer realm="taskflow"' } });
}
