import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { onSupportCpus } from './cpu-affinity';
import type { LoadOptions, Throughput } from './load';

const execute = promisify(execFile);

export interface H2loadOptions extends LoadOptions {
  /**
   * Seconds of warm-up before the measurement.
   *
   * @default 0
   */
  readonly warmUp?: number;
}

/**
 * Measures maximum throughput with h2load. h2load needs half of autocannon's CPU time per request: use it when autocannon is the
 * bottleneck, or when server and load generator share a CPU.
 *
 * @throws if h2load is missing, or no response is 2xx
 * @see https://nghttp2.org/documentation/h2load.1.html
 */
export async function runH2load(options: H2loadOptions): Promise<Throughput> {
  const { url, cookie, connections, seconds, warmUp = 0 } = options;
  const args = ['--h1', '--threads=1', `--clients=${connections}`, `--duration=${seconds}`];
  if (warmUp > 0) args.push(`--warm-up-time=${warmUp}`);
  if (cookie) args.push('--header', `cookie: ${cookie}`);
  const [command, ...rest] = onSupportCpus(['h2load', ...args, url]);
  const { stdout } = await execute(command, rest);
  // h2load excludes the warm-up from its counts.
  const count = (what: string) => Number(new RegExp(` (\\d+) ${what}`).exec(stdout)?.[1] ?? 0);
  const [succeeded, failed] = [count('succeeded'), count('failed')];
  if (succeeded === 0) throw new Error(`${url}: no request succeeded. h2load printed:\n${summary(stdout)}`);
  return { rps: succeeded / seconds, failedShare: failed / (succeeded + failed) };
}

function summary(stdout: string): string {
  return stdout.slice(Math.max(0, stdout.indexOf('finished in'))).trim();
}
