/**
 * At most one run of `work` at a time. Calls that come while it runs are gathered into one next run, never answered by the
 * present one: what that one reads may be older than the reason for the call.
 */
export function coalesce<T>(work: (items: ReadonlySet<T>) => Promise<void>): (items: Iterable<T>) => Promise<void> {
  let running: Promise<void> | undefined;
  let next: { items: Set<T>; done: Promise<void> } | undefined;

  const start = (items: ReadonlySet<T>): Promise<void> => {
    const run = work(items).finally(() => {
      if (running === run) running = undefined;
    });
    running = run;
    return run;
  };

  return (items) => {
    if (!running) return start(new Set(items));
    if (!next) {
      const gathered = new Set<T>();
      const done = running
        .catch(() => {})
        .then(() => {
          next = undefined;
          return start(gathered);
        });
      next = { items: gathered, done };
    }
    for (const item of items) next.items.add(item);
    return next.done;
  };
}
