import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { UsageError } from '../support/usage-error';

const ROOT = resolve(__dirname, '../..');
const CDK = resolve(ROOT, 'node_modules/aws-cdk/bin/cdk');

/**
 * Runs the CDK CLI of this project in the project's root folder.
 *
 * @param log receives each line that the CLI prints
 * @throws UsageError if the CDK app rejects its input
 * @throws Error with the last lines of output if the exit code is not 0
 */
export async function runCdk(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  log: (line: string) => void,
): Promise<void> {
  const child = spawn(process.execPath, [CDK, ...args, '--no-notices', '--no-color'], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const last: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    let partial = '';
    stream.setEncoding('utf8').on('data', (text: string) => {
      const lines = (partial + text).split('\n');
      partial = lines.pop() ?? '';
      for (const line of lines.filter((one) => one.trim() !== '')) {
        last.push(line);
        if (last.length > 15) last.shift();
        log(line);
      }
    });
  }
  const code = await new Promise<number | null>((done) => child.once('close', done));
  // bin/shop.ts exits with 2 on bad input, but the CDK CLI always exits with 1.
  const badInput = last.findIndex((line) => line.includes('Subprocess exited with error 2'));
  if (badInput > 0) throw new UsageError(last[badInput - 1]);
  if (code !== 0) throw new Error(`cdk ${args[0]} failed with exit code ${code}:\n${last.join('\n')}`);
}
