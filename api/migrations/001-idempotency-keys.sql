-- A submission under an idempotency key: written before its events are appended, so that whoever comes again with the
-- key appends the same tasks, or none. Rebuildable from the log: TaskQueued carries key and hash.
create table idempotency_keys (
  user_id uuid not null,
  key text not null,
  -- SHA-256 of the canonical body, in hexadecimal.
  body_hash text not null,
  -- One task, or those of the batch in its order; the events partition of each beside it.
  task_ids uuid[] not null,
  events_partitions int[] not null,
  -- When the submission came, by the clock of the api that took it: createdAt of its tasks.
  created_at timestamptz not null,
  -- Until when whoever appends them has them for itself. After that it is taken for dead, and another may append.
  claimed_until timestamptz not null,
  -- When the log had acknowledged them; null as long as that is not known.
  appended_at timestamptz,
  expires_at timestamptz not null,
  primary key (user_id, key)
);

create index idempotency_keys_expiry on idempotency_keys (expires_at);
