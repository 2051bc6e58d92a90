-- FerretDB v1 asks for an equal top-level field as `_jsonb->'field' @> '"value"'`, which the b-tree indexes that it makes
-- itself do not serve: each look-up would read the whole table. So every b-tree index on a path of `_jsonb` (FerretDB
-- makes one on `_id` for each collection, and one for each createIndex) gets a GIN twin on its first path.
create or replace function add_equality_twin() returns event_trigger language plpgsql as $$
declare
  made record;
  path text;
begin
  for made in
    select command.objid, index.indrelid
    from pg_event_trigger_ddl_commands() command
    join pg_index index on index.indexrelid = command.objid
    join pg_class class on class.oid = command.objid
    join pg_am method on method.oid = class.relam and method.amname = 'btree'
    where command.object_type = 'index' and command.schema_name not in ('public', 'pg_catalog')
  loop
    path := pg_get_indexdef(made.objid, 1, true);
    if path like '%\_jsonb%' then
      execute format('create index on %s using gin ((%s) jsonb_path_ops)', made.indrelid::regclass, path);
    end if;
  end loop;
end
$$;

do $$
begin
  if not exists (select from pg_event_trigger where evtname = 'add_equality_twin') then
    create event trigger add_equality_twin on ddl_command_end when tag in ('CREATE INDEX')
      execute function add_equality_twin();
  end if;
end
$$;
