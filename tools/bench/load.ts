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
  /** Each sends its next request when it has the response. */
  readonly connections: number;
  readonly seconds: number;
}

/**
 * Measures maximum throughput with autocannon in a separate process, in responses per second.
 *
 * @throws if a response is not 200
 */
export async function runAutocannon({ url, cookie, connections, seconds }: LoadOptions): Promise<number> {
  const args = ['-j', '-c', String(connections), '-d', String(seconds), '-t', '20'];
  if (cookie) args.push('-H', `cookie: ${cookie}`);
  const [command, ...rest] = onSupportCpus([process.execPath, require.resolve('autocannon'), ...args, url]);
  const { requests, statusCodeStats, errors, timeouts, duration } = JSON.parse((await execute(command, rest)).stdout);
  const succeeded = statusCodeStats['200']?.count ?? 0;
  const failed = requests.total - succeeded + errors + timeouts;
  if (failed > 0) throw new Error(`${url}: ${failed} of ${requests.total} requests failed`);
  return succeeded / duration;
}

/** Sends requests at a constant rate from a separate process, however slow the responses are. */
export async function runConstantRate(options: ConstantRateOptions): Promise<ConstantRateResult> {
  const script = join(__dirname, 'constant-rate.ts');
  const [command, ...args] = onSupportCpus([process.execPath, '--import', 'tsx', script, JSON.stringify(options)]);
  return JSON.parse((await execute(command, args)).stdout) as ConstantRateResult;
}
