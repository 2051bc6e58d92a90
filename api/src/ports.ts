import type { BlobStore } from '@taskflow/service/blobStore';
import type { Logger } from '@taskflow/service/logger';
import type { Readiness } from '@taskflow/service/readiness';
import type { Uploads } from './blobs/uploads.ts';
import type { Bulks } from './bulk/bulks.ts';
import type { TaskCommands } from './commands/taskCommands.ts';
import type { TypeCommands } from './commands/typeCommands.ts';
import type { Authenticate } from './http/principal.ts';
import type { ApiMetrics } from './metrics.ts';
import type { PreviewWorkers } from './preview/previewWorkers.ts';
import type { Submissions } from './submission/submissions.ts';
import type { TypeCatalogue } from './types.ts';
import type { PoisonLog } from './views/poisonLog.ts';
import type { ResultView } from './views/resultView.ts';
import type { TaskLogView } from './views/taskLogView.ts';
import type { TaskReading } from './views/taskReading.ts';
import type { TaskView } from './views/taskView.ts';

export interface Limits {
  readonly maxTaskBytes: number;
  readonly maxBatchBytes: number;
  readonly maxJsonDepth: number;
  readonly maxBlobBytes: number;
}

/** All that endpoints reach: made in `main.ts`, handed to each of them. */
export interface Ports {
  readonly authenticate: Authenticate;
  readonly limits: Limits;
  readonly submissions: Submissions;
  readonly commands: TaskCommands;
  readonly typeCommands: TypeCommands;
  readonly bulks: Bulks;
  /** The view of tasks as it is now. */
  readonly tasks: TaskView;
  /** The same, waiting for what is still on its way. */
  readonly reading: TaskReading;
  readonly results: ResultView;
  readonly blobs: BlobStore;
  readonly uploads: Uploads;
  readonly taskLogs: TaskLogView;
  readonly poison: PoisonLog;
  readonly types: TypeCatalogue;
  readonly previews: PreviewWorkers;
  readonly readiness: Readiness;
  readonly metrics: ApiMetrics;
  readonly logger: Logger;
  /** Whether a line is logged for each request, not only for those that failed. */
  readonly accessLog: boolean;
  readonly documentation: { readonly openapi: string; readonly page: string };
}
