import { PRIORITIES, type Priority } from '@taskflow/schemas/topics';

/**
 * Which queues to ask first in a round. PROTOCOL.md, "Dispatch": 4 of 21 rounds are to begin with normal and 1 of 21 with
 * low, so that nothing starves; until that comes every round begins with high.
 */
export function fetchOrder(_round: number): readonly Priority[] {
  return PRIORITIES;
}
