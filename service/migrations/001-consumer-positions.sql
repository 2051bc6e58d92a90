create table consumer_positions (
  consumer text not null,
  topic text not null,
  partition integer not null,
  next_offset bigint not null check (next_offset >= 0),
  primary key (consumer, topic, partition)
) with (fillfactor = 50);

comment on table consumer_positions is
  'How far each consumer with effects in this database has come. Moves in the transaction of the effects, so that both are always of the same moment.';
comment on column consumer_positions.consumer is 'Name of the consumer, or of the projection: tasks, results, task_logs.';
comment on column consumer_positions.next_offset is
  'First offset whose effects are not in this database yet. Everything below has been applied.';
