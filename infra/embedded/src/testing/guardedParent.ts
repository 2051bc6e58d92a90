/** Starts a tiny server and makes a folder, both guarded, and tells so: `guardedParent <folder for logs> <port>`. */
import { temporaryState } from '../process/temporaryState.ts';
import { startServer } from '../server.ts';
import { tinyProgram } from './tinyProgram.ts';

const [folder = '', port] = process.argv.slice(2);
const state = await temporaryState();
const server = await startServer(tinyProgram({ name: 'guarded', port: Number(port), folder, behaviour: 'deaf' }));
console.log(JSON.stringify({ pid: server.pid, folder: state.folder }));
