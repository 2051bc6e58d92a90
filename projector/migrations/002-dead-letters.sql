create table dead_letters (
  user_id uuid not null,
  type text not null,
  code text not null,
  count bigint not null,
  primary key (user_id, type, code)
) with (fillfactor = 20); -- few rows, each updated all the time

comment on table dead_letters is
  'How many shown tasks have failed, by user, type and error code; exact at every moment, as it is written in the same transactions.';

insert into dead_letters
select user_id, type, error_code, count(*) from tasks
where payload is not null and status = 'failed' and error_code is not null
group by user_id, type, error_code;

-- For when the last of them failed.
create index tasks_failed on tasks (user_id, type, error_code, finished_at desc) where payload is not null and status = 'failed';
