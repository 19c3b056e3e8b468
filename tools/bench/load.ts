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

export type Throughput = {
  /** Successful responses per second. */
  readonly rps: number;
  /** Failed requests, as a fraction of all. */
  readonly failedShare: number;
};

/**
 * Maximum `failedShare`. A 503 costs less than the response that it replaces, so failures distort a rate: up to this share, by less
 * than the last of the three digits that are printed. The shortest measurements have some thousand requests, so one failure passes.
 */
export const MAX_FAILED_SHARE = 0.001;

/**
 * Measures maximum throughput with autocannon in a separate process.
 *
 * @throws if no response is 200
 */
export async function runAutocannon({ url, cookie, connections, seconds }: LoadOptions): Promise<Throughput> {
  const args = ['-j', '-c', String(connections), '-d', String(seconds), '-t', '20'];
  if (cookie) args.push('-H', `cookie: ${cookie}`);
  const [command, ...rest] = onSupportCpus([process.execPath, require.resolve('autocannon'), ...args, url]);
  const { stdout } = await execute(command, rest);
  const { requests, statusCodeStats, errors, duration } = JSON.parse(stdout);
  const succeeded = statusCodeStats['200']?.count ?? 0;
  if (succeeded === 0) throw new Error(`${url}: no request succeeded. autocannon printed:\n${stdout.trim()}`);
  // autocannon counts a timeout as an error too, and neither as a request.
  const all = requests.total + errors;
  return { rps: succeeded / duration, failedShare: (all - succeeded) / all };
}

/** Sends requests at a constant rate from a separate process, however slow the responses are. */
export async function runConstantRate(options: ConstantRateOptions): Promise<ConstantRateResult> {
  const script = join(__dirname, 'constant-rate.ts');
  const [command, ...args] = onSupportCpus([process.execPath, '--import', 'tsx', script, JSON.stringify(options)]);
  return JSON.parse((await execute(command, args)).stdout) as ConstantRateResult;
}
