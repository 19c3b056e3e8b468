import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { onSupportCpus } from './cpu-affinity';
import type { LoadOptions } from './load';

const execute = promisify(execFile);

export interface H2loadOptions extends LoadOptions {
  /**
   * Seconds of the same before that, which do not count.
   *
   * @default 0
   */
  readonly warmUp?: number;
}

/**
 * As `runAutocannon`, by h2load: it takes half of autocannon's processor time for a request, and is for what answers faster than
 * autocannon asks, or shares a processor with the source of its load.
 *
 * @throws when it is not here, nothing is answered, or an answer is no success
 * @see https://nghttp2.org/documentation/h2load.1.html
 */
export async function runH2load(options: H2loadOptions): Promise<number> {
  const { url, cookie, connections, seconds, warmUp = 0 } = options;
  const args = ['--h1', '--threads=1', `--clients=${connections}`, `--duration=${seconds}`];
  if (warmUp > 0) args.push(`--warm-up-time=${warmUp}`);
  if (cookie) args.push('--header', `cookie: ${cookie}`);
  const [command, ...rest] = onSupportCpus(['h2load', ...args, url]);
  const { stdout } = await execute(command, rest);
  // It counts nothing during the lead-in.
  const [answered, failed] = [/ (\d+) succeeded/, / (\d+) failed/].map((pattern) => Number(pattern.exec(stdout)?.[1]));
  if (!answered || failed) {
    throw new Error(`${url}: not all requests were answered 2xx; h2load says:\n${summary(stdout)}`);
  }
  return answered / seconds;
}

function summary(stdout: string): string {
  return stdout.slice(Math.max(0, stdout.indexOf('finished in'))).trim();
}
