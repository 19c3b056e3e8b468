import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ConstantRateOptions, ConstantRateResult } from './constant-rate';
import { onSupportCpus } from './cpu-affinity';

const execute = promisify(execFile);

export interface LoadOptions {
  readonly url: string;
  /** @default - none */
  readonly cookie?: string | undefined;
  /** Each asks again as soon as it is answered. */
  readonly connections: number;
  readonly seconds: number;
}

/**
 * The most answers a second that a server gives, measured by autocannon in a process of its own.
 *
 * @throws when an answer is no 200
 */
export async function runAutocannon({ url, cookie, connections, seconds }: LoadOptions): Promise<number> {
  const args = ['-j', '-c', String(connections), '-d', String(seconds), '-t', '20'];
  if (cookie) args.push('-H', `cookie: ${cookie}`);
  const [command, ...rest] = onSupportCpus([process.execPath, require.resolve('autocannon'), ...args, url]);
  const { requests, statusCodeStats, errors, timeouts, duration } = JSON.parse((await execute(command, rest)).stdout);
  const answered = statusCodeStats['200']?.count ?? 0;
  const others = requests.total - answered + errors + timeouts;
  if (others > 0) throw new Error(`${url}: ${others} of ${requests.total} requests were not answered 200`);
  return answered / duration;
}

/** Requests at a steady rate whether those before them are answered or not, as visitors come; from a process of its own. */
export async function runConstantRate(options: ConstantRateOptions): Promise<ConstantRateResult> {
  const script = join(__dirname, 'constant-rate.ts');
  const [command, ...args] = onSupportCpus([process.execPath, '--import', 'tsx', script, JSON.stringify(options)]);
  return JSON.parse((await execute(command, args)).stdout) as ConstantRateResult;
}
