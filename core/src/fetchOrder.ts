import { PRIORITIES, type Priority } from '@taskflow/schemas/topics';

const normalFirst: readonly Priority[] = ['normal', 'high', 'low'];
const lowFirst: readonly Priority[] = ['low', 'high', 'normal'];

/**
 * Which queue to ask first in a round. Of 21 rounds 16 begin with high, 4 with normal and 1 with low, spread evenly: so high
 * goes first, and yet each priority has a share of the slots that no backlog of another takes away.
 */
export function fetchOrder(round: number): readonly Priority[] {
  const turn = round % 21;
  if (turn === 20) return lowFirst;
  return turn % 5 === 4 ? normalFirst : PRIORITIES;
}
