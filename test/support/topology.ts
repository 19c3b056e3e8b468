import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { TopologyPlan } from '../../tools/rehearsal/topology/topology-plan';

const ROOT = resolve(__dirname, '../..');

/** Starts a topology in a child process, which prints its URL and answers each message with a snapshot. */
export function startInChildProcess(plan: TopologyPlan, env: NodeJS.ProcessEnv = process.env): ChildProcess {
  const script = `require('./tools/rehearsal/topology/topology').startTopology(${JSON.stringify(plan)})
    .then((topology) => {
      process.on('message', async () => process.send(await topology.snapshot()));
      console.log(topology.url);
    })
    .catch((error) => { console.log(error.message); process.exit(2); })`;
  const args = ['--import', 'tsx', '-e', script];
  return spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
}

/** Returns the first line of output: the URL of the topology, or the reason why it does not start. */
export async function firstLine(child: ChildProcess): Promise<string> {
  const [line] = await once((child.stdout as NodeJS.ReadableStream).setEncoding('utf8'), 'data');
  return line.trim();
}
