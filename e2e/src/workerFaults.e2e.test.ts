import { typescriptProbe } from './testing/probePrograms.ts';
import { workerFaults } from './testing/workerFaults.ts';

workerFaults(typescriptProbe);
