/** A worker of one's own task types, those in the folders beside this file: `node examples/task-types/worker.ts` */
import { loadConfig } from '@taskflow/service/config';
import { discoverTasks } from '@taskflow/workers/discoverTasks';
import { runWorker } from '@taskflow/workers/runWorker';
import { settings } from '@taskflow/workers/settings';

runWorker(loadConfig(settings), () => discoverTasks(import.meta.dirname));
