/** A worker process: takes tasks from Kafka, runs them, and records what became of them. `node workers/dist/main.js` */
import { loadConfig } from '@taskflow/service/config';
import { workerSettings } from './config.ts';
import { discoverTasks } from './discoverTasks.ts';
import { runWorker } from './runWorker.ts';
import { selectTypes } from './selectTypes.ts';

const config = loadConfig(workerSettings);

runWorker(config, async () => selectTypes(await discoverTasks(), config));
