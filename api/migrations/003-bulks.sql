-- An action on many tasks. Whichever api holds the lease works on it, a batch at a time.
create table bulks (
  id uuid primary key,
  -- Who asked; the actor of every event.
  user_id uuid not null,
  request_id text not null,
  action text not null,
  -- As it was asked for, JSON text.
  filter text not null,
  reason text,
  matched bigint not null,
  done bigint not null default 0,
  failed bigint not null default 0,
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  -- The api that works on it, until when; after that it is taken for dead.
  holder text,
  leased_until timestamptz not null default now()
);

create index bulks_unfinished on bulks (leased_until) where finished_at is null;

-- What is still to be done of it: the tasks that matched when it was asked for.
create table bulk_tasks (
  bulk_id uuid not null references bulks on delete cascade,
  task_id uuid not null,
  -- Of the event that is to be appended, noted before it is: whoever goes on after a crash appends a copy, or sees that it is there.
  event_id uuid,
  primary key (bulk_id, task_id)
);
