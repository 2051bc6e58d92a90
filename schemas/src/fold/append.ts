/**
 * A list with one more item at its end, the lists that nearly all tasks have in just the memory that they need: `push` makes room for
 * seventeen, and a projector keeps those of thousands of tasks alive until they are written.
 */
export function append<T>(list: readonly T[], item: T): readonly T[] {
  switch (list.length) {
    case 0:
      return [item];
    case 1:
      return [list[0]!, item];
    case 2:
      return [list[0]!, list[1]!, item];
    default:
      return [...list, item];
  }
}
