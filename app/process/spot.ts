import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Config } from '../config';

/** Milliseconds between two polls: AWS recommends 5 s; the notice comes 2 minutes ahead. */
const POLL_INTERVAL = 5_000;
const TIMEOUT = 1_000;
const TOKEN_SECONDS = 21_600;

/**
 * Sends SIGTERM to this process on a Spot Instance interruption notice. The service manager restarts the process, which then
 * waits in {@link waitOutSpotNotice}.
 *
 * A rebalance recommendation is only logged. It has no deadline, and Capacity Rebalancing of the Auto Scaling group launches
 * the replacement *before* it terminates this instance. Draining immediately would reduce the capacity of the fleet.
 *
 * @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html
 */
export function watchForSpotNotice({ instanceMetadata }: Config, log: Logger): void {
  if (instanceMetadata === undefined) return;
  const metadata = new Metadata(instanceMetadata);
  let recommended = false;
  const poll = async () => {
    const notice = await metadata.get('spot/instance-action');
    if (notice !== undefined) {
      log.warn({ notice }, 'Spot Instance interruption notice: draining');
      process.kill(process.pid, 'SIGTERM');
      return;
    }
    if (!recommended && (await metadata.get('events/recommendations/rebalance')) !== undefined) {
      recommended = true;
      log.warn('EC2 rebalance recommendation: elevated risk of interruption');
    }
    setTimeout(poll, POLL_INTERVAL).unref();
  };
  void poll();
}

/** Never resolves if there is an interruption notice: a restarted server must not become ready for its last minute. */
export async function waitOutSpotNotice({ instanceMetadata }: Config, log: Logger): Promise<void> {
  if (instanceMetadata === undefined) return;
  if ((await new Metadata(instanceMetadata).get('spot/instance-action')) === undefined) return;
  log.warn('Spot Instance interruption notice: not starting');
  // Keeps the process alive until the instance terminates or the service manager stops it.
  for (;;) await sleep(POLL_INTERVAL);
}

/** Client of the EC2 instance metadata service (IMDSv2). An error counts as a missing value. */
class Metadata {
  #token: Promise<string> | undefined;

  constructor(private readonly endpoint: string) {}

  async get(path: string): Promise<string | undefined> {
    try {
      this.#token ??= this.#request('PUT', 'api/token', {
        'x-aws-ec2-metadata-token-ttl-seconds': String(TOKEN_SECONDS),
      });
      return await this.#request('GET', `meta-data/${path}`, { 'x-aws-ec2-metadata-token': await this.#token });
    } catch (error) {
      // The token may have expired.
      if (!(error instanceof NotFound)) this.#token = undefined;
      return undefined;
    }
  }

  async #request(method: string, path: string, headers: Record<string, string>): Promise<string> {
    const url = `${this.endpoint}/latest/${path}`;
    const response = await fetch(url, { method, headers, signal: AbortSignal.timeout(TIMEOUT) });
    const text = await response.text();
    if (response.status === 404) throw new NotFound(path);
    if (!response.ok) throw new Error(`${url}: ${response.status}`);
    return text;
  }
}

class NotFound extends Error {}
