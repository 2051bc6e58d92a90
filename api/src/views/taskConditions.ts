import type { Principal } from '../http/principal.ts';
import type { TaskFilters } from './taskView.ts';

/** The only owner whose tasks a principal sees; null: all. */
export function ownerSeen({ userId, role }: Principal): string | null {
  return role === 'admin' ? null : userId;
}

/** Values of a statement, and the texts by which it names them. */
export function statementValues() {
  const values: unknown[] = [];
  return { values, value: (given: unknown) => `$${values.push(given)}` };
}

/** The conditions under which a row of `tasks` is one that a principal sees, and that the filters leave. */
export function taskConditions(
  principal: Principal,
  filters: TaskFilters,
  value: (given: unknown) => string,
): string[] {
  const conditions = ['payload is not null'];
  const owner = ownerSeen(principal);
  if (owner !== null) conditions.push(`user_id = ${value(owner)}`);
  if (filters.user !== undefined) conditions.push(`user_id = ${value(filters.user)}`);
  if (filters.type !== undefined) conditions.push(`type = ${value(filters.type)}`);
  if (filters.status !== undefined) {
    conditions.push(`status = ${value(filters.status)}`);
    // Named, so that the index of what did not succeed can serve.
    if (filters.status !== 'success') conditions.push("status <> 'success'");
  }
  if (filters.priority !== undefined) conditions.push(`priority = ${value(filters.priority)}`);
  if (filters.errorCode !== undefined) conditions.push(`error_code = ${value(filters.errorCode)}`);
  if (filters.tag !== undefined) conditions.push(`tags @> array[${value(filters.tag)}]::text[]`);
  if (filters.from !== undefined) conditions.push(`created_at >= ${value(new Date(filters.from))}`);
  if (filters.to !== undefined) conditions.push(`created_at < ${value(new Date(filters.to))}`);
  return conditions;
}
