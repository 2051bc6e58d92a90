/**
 * For statements that join a small batch to tables of any size by their keys: by the planner's guess each could be a scan. So
 * plans are made without regard to values, and go by indexes.
 */
export const indexedSession: Readonly<Record<string, string>> = {
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_bitmapscan: 'off',
  jit: 'off',
};
