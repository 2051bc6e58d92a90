/** Something with a name that must come after others. */
export interface Ordered {
  readonly name: string;
  readonly after: readonly string[];
}

/**
 * Starts each part as soon as all those are started that it comes after. Rejects with the first error; parts that are
 * starting then go on, further ones do not begin.
 */
export async function startInOrder<P extends Ordered>(
  parts: readonly P[],
  start: (part: P) => Promise<void>,
): Promise<void> {
  let failed = false;
  const started = new Map<string, Promise<void>>();
  for (const part of parts) {
    const earlier = part.after.map((name) => {
      const promise = started.get(name);
      if (promise === undefined) throw new Error(`${part.name} comes after ${name}, which does not stand before it`);
      return promise;
    });
    const starting = Promise.all(earlier).then(() => {
      if (!failed) return start(part);
    });
    starting.catch(() => {
      failed = true;
    });
    started.set(part.name, starting);
  }
  await Promise.all(started.values());
}

/** Stops each part as soon as all those are stopped that come after it. */
export async function stopInOrder<P extends Ordered>(
  parts: readonly P[],
  stop: (part: P) => Promise<void>,
): Promise<void> {
  const stopped = new Map<string, Promise<void>>();
  for (const part of parts.toReversed()) {
    const later = parts.filter((other) => other.after.includes(part.name)).map((other) => stopped.get(other.name));
    stopped.set(
      part.name,
      Promise.all(later).then(() => stop(part)),
    );
  }
  await Promise.all(stopped.values());
}
