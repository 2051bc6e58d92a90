/** For tests of other packages, which may use what lies here. */
export { freePorts } from '../process/freePorts.ts';
