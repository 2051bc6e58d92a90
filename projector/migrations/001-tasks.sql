-- One row a task: the fold of its events. Identity, submission, result and history are the state; the other columns follow from
-- them and are there to be searched (@taskflow/service/taskRow gives a row its meaning, @taskflow/schemas/fold the state).
create table tasks (
  id uuid primary key,
  user_id uuid not null,
  type text not null,
  priority text not null,
  run_id text,
  step_id text,
  status text not null,
  version bigint not null,
  created_at timestamptz not null,
  finished_at timestamptz,
  error_code text,
  tags text[],
  payload text,
  options text,
  result text,
  history text not null
) with (fillfactor = 80); -- many rows are updated once, soon after they came: on the same page, where no index needs to know

comment on table tasks is 'View of the log: the state of each task.';
comment on column tasks.run_id is 'Workflow run that the task is a step of; null where none.';
comment on column tasks.step_id is 'Step within the run.';
comment on column tasks.version is
  'Place of the greatest event: ((generation * 2 + ended) * 2^20 + attempt) * 4 + rank. Grows with every change of status.';
comment on column tasks.created_at is 'First submission.';
comment on column tasks.error_code is 'Of the error that the task shows; null where it shows none.';
comment on column tasks.tags is 'Labels of the user; null where there are none.';
comment on column tasks.payload is
  'JSON text. Null until the submission has been read: such a task is neither shown nor counted. Text and not jsonb, which would refuse what JSON allows (\u0000) and costs more.';
comment on column tasks.options is 'The rest of the submission: a compact JSON array.';
comment on column tasks.result is 'What it produced: a compact JSON array; null while it has not.';
comment on column tasks.history is 'All events that decide something, compact JSON text of @taskflow/schemas/fold.';

create index tasks_by_user on tasks (user_id, created_at desc, id desc) where payload is not null;
create index tasks_by_time on tasks (created_at desc, id desc) where payload is not null;
-- What succeeded is most of it, and is found by the two above.
create index tasks_not_succeeded on tasks (status, created_at desc, id desc) where payload is not null and status <> 'success';
create index tasks_by_tag on tasks using gin (tags) where tags is not null;

create table task_counts (
  user_id uuid not null,
  type text not null,
  status text not null,
  count bigint not null,
  primary key (user_id, type, status)
) with (fillfactor = 20); -- few rows, each updated all the time

comment on table task_counts is
  'How many rows of tasks are shown, by user, type and status; exact at every moment, as it is written in the same transactions.';

create table projections (
  name text primary key,
  version integer not null
);

comment on table projections is 'Which version of each projection the view tables hold. A program that writes another version must rebuild first.';
