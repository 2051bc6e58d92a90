-- Read backwards they give the newest first as well. Tasks come in the order of time, and an index that ascends is lengthened at
-- its end, page after page full; one that descends splits its first page in halves again and again: twice the bytes.
drop index tasks_by_user, tasks_by_time, tasks_not_succeeded, tasks_failed;

create index tasks_by_user on tasks (user_id, created_at, id) where payload is not null;
create index tasks_by_time on tasks (created_at, id) where payload is not null;
create index tasks_not_succeeded on tasks (status, created_at, id) where payload is not null and status <> 'success';
create index tasks_failed on tasks (user_id, type, error_code, finished_at) where payload is not null and status = 'failed';
