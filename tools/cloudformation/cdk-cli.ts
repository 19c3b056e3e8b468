import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { UsageError } from '../support/usage-error';

const ROOT = resolve(__dirname, '../..');
const CDK = resolve(ROOT, 'node_modules/aws-cdk/bin/cdk');

/**
 * Runs the project's own CDK CLI from the project's root.
 *
 * @param say told each line that it prints
 * @throws UsageError when the CDK app refuses its input; else with the last lines, when the exit code is not 0
 */
export async function runCdk(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  say: (line: string) => void,
): Promise<void> {
  const child = spawn(process.execPath, [CDK, ...args, '--no-notices', '--no-color'], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const last: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines.filter((one) => one.trim() !== '')) {
        last.push(line);
        if (last.length > 15) last.shift();
        say(line);
      }
    });
  }
  const code = await new Promise<number | null>((done) => child.once('close', done));
  // The CDK CLI's own exit code for it is 1, like for everything.
  const refused = last.findIndex((line) => line.includes('Subprocess exited with error 2'));
  if (refused > 0) throw new UsageError(last[refused - 1]);
  if (code !== 0) throw new Error(`cdk ${args[0]} ended with exit code ${code}:\n${last.join('\n')}`);
}
