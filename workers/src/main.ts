/** A worker process: takes tasks from Kafka, runs them, and records what became of them. `node workers/dist/main.js` */
import { loadConfig } from '@taskflow/service/config';
import { discoverTasks } from './discoverTasks.ts';
import { runWorker } from './runWorker.ts';
import { selectTypes } from './selectTypes.ts';
import { settings } from './settings.ts';

const config = loadConfig(settings);

runWorker(config, async () => selectTypes(await discoverTasks(), config));
