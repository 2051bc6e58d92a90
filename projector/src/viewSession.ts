import { indexedSession } from '@taskflow/service/postgresSessions';

/**
 * Settings of the sessions that write views.
 *
 * A view can be built again from the log, and its positions move in the same transactions. So a commit need not wait for the
 * disk: what PostgreSQL loses when it crashes is read again, positions and effects alike. And each batch is joined to its table
 * by the primary key, in the order of the batch, at whatever size: by the planner's guess it could be a scan of the table.
 */
export const VIEW_SESSION: Readonly<Record<string, string>> = {
  ...indexedSession,
  synchronous_commit: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
};
