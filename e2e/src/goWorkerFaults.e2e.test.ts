import { goProbe } from './testing/probePrograms.ts';
import { workerFaults } from './testing/workerFaults.ts';

workerFaults(goProbe);
