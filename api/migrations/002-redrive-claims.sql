-- Whoever opens a generation of a task again claims it here before the event is appended, so that of several one does.
create table redrive_claims (
  task_id uuid not null,
  -- That the redrive opens.
  generation integer not null,
  -- Of the TaskQueued that opens it: who takes the claim over appends a copy.
  event_id uuid not null,
  actor uuid not null,
  reason text,
  created_at timestamptz not null default now(),
  -- Until when whoever appends it has it for himself. After that he is taken for dead, and another may append.
  claimed_until timestamptz not null,
  -- When the log had acknowledged it; null as long as that is not known.
  appended_at timestamptz,
  primary key (task_id, generation)
);

create index redrive_claims_age on redrive_claims (created_at);
