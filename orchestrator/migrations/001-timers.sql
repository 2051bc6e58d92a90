-- One row for each task that ever had a timer, or was cancelled: what core's TimerRow is. Its rules are those of @taskflow/core/timers.
create table timers (
  task_id uuid primary key,
  user_id uuid not null,
  type text not null,
  priority text not null,
  run_id text,
  step_id text,
  events_partition integer not null,
  version bigint not null,
  generation integer not null,
  attempt integer not null,
  ended_at timestamptz,
  kind text,
  due_at timestamptz,
  lease_ms integer,
  released boolean,
  task text,
  failures integer,
  recoveries integer
) with (fillfactor = 80);

comment on table timers is 'Which task is due for what, and when: retries, delays, leases.';
comment on column timers.events_partition is 'Whoever reads this partition of the task''s events fires the timer.';
comment on column timers.version is
  'Place of the greatest event known, as in the fold. The timer belongs to that event and goes with it.';
comment on column timers.ended_at is 'When the end was read; an hour later the row goes. Null while the task has not ended.';
comment on column timers.kind is 'run, retry or lease; null while there is no timer, and then so is all that follows.';
comment on column timers.due_at is 'By this server''s clock. Null: held until it is admitted.';
comment on column timers.task is 'What to run: JSON text of the shared record. Text, since jsonb refuses what JSON allows.';

create index timers_due on timers (due_at) where due_at is not null;
create index timers_ended on timers (ended_at) where ended_at is not null;
create index timers_open on timers (type, priority, events_partition) where ended_at is null;

-- What is to be appended to the log, decided in the transaction that wrote the row.
create table outbox (
  id bigint generated always as identity primary key,
  task_id uuid not null,
  -- Whoever reads this partition of the task's events sends it.
  type text not null,
  priority text not null,
  events_partition integer not null,
  -- Where it goes, and where that ended when this was written: what is there already lies behind.
  topic text not null,
  partition integer not null,
  end_offset bigint not null,
  -- The event as it is appended (wire format).
  value bytea not null,
  written_at timestamptz not null default clock_timestamp()
) with (autovacuum_vacuum_threshold = 1000);

create index outbox_task on outbox (task_id);

comment on table outbox is 'Events that are decided and not yet known to be on the log. Empty but for moments.';
