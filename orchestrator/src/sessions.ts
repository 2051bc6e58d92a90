/** Small batches against tables of any size: by the planner's guess each could be a scan. */
export const indexedSession: Readonly<Record<string, string>> = {
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_bitmapscan: 'off',
  jit: 'off',
};

/** Where positions and rows move together, what PostgreSQL loses in a crash is read again: such a commit need not wait for the disk. */
export const foldSession: Readonly<Record<string, string>> = { ...indexedSession, synchronous_commit: 'off' };
