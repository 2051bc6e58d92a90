/** A worker of the one type whose results go to MongoDB and cost nothing to make: `node bench/src/documents/worker.ts` */
import { loadConfig } from '@taskflow/service/config';
import { discoverTasks } from '@taskflow/workers/discoverTasks';
import { runWorker } from '@taskflow/workers/runWorker';
import { settings } from '@taskflow/workers/settings';

runWorker(loadConfig(settings), () => discoverTasks(import.meta.dirname));
