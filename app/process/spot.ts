import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Config } from '../config';

/** Milliseconds between two looks: EC2 asks for 5 s, out of the 2 minutes that the notice gives. */
const POLL = 5_000;
const TIMEOUT = 1_000;
const TOKEN_SECONDS = 21_600;

/**
 * Ends this process as SIGTERM does once EC2 gives notice that it takes the (spot) instance back. The service manager starts
 * it again; the notice is still there then, see {@link waitOutSpotNotice}.
 *
 * A rebalance recommendation is only logged: no end is set then, and Auto Scaling, whose capacity rebalancing hears of it too,
 * brings the replacement *before* it takes this instance away. To drain at once would leave the fleet short.
 *
 * @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html
 */
export function watchForSpotNotice({ instanceMetadata }: Config, log: Logger): void {
  if (instanceMetadata === undefined) return;
  const metadata = new Metadata(instanceMetadata);
  let recommended = false;
  const look = async () => {
    const notice = await metadata.get('spot/instance-action');
    if (notice !== undefined) {
      log.warn({ notice }, 'EC2 takes this instance back: leaving');
      process.kill(process.pid, 'SIGTERM');
      return;
    }
    if (!recommended && (await metadata.get('events/recommendations/rebalance')) !== undefined) {
      recommended = true;
      log.warn('EC2 says that this instance is at risk of being taken back');
    }
    setTimeout(look, POLL).unref();
  };
  void look();
}

/** Never resolves once there is a notice: a server that was started again must not call itself ready for its last minute. */
export async function waitOutSpotNotice({ instanceMetadata }: Config, log: Logger): Promise<void> {
  if (instanceMetadata === undefined) return;
  if ((await new Metadata(instanceMetadata).get('spot/instance-action')) === undefined) return;
  log.warn('EC2 takes this instance back: not starting');
  // Holds the process until the machine ends, or whoever started it says so.
  for (;;) await sleep(POLL);
}

/** EC2's instance metadata service, version 2. Whatever it does not answer counts as not there. */
class Metadata {
  #token: Promise<string> | undefined;

  constructor(private readonly endpoint: string) {}

  async get(path: string): Promise<string | undefined> {
    try {
      this.#token ??= this.#ask('PUT', 'api/token', { 'x-aws-ec2-metadata-token-ttl-seconds': String(TOKEN_SECONDS) });
      return await this.#ask('GET', `meta-data/${path}`, { 'x-aws-ec2-metadata-token': await this.#token });
    } catch (error) {
      // The token may be too old.
      if (!(error instanceof NotThere)) this.#token = undefined;
      return undefined;
    }
  }

  async #ask(method: string, path: string, headers: Record<string, string>): Promise<string> {
    const url = `${this.endpoint}/latest/${path}`;
    const answer = await fetch(url, { method, headers, signal: AbortSignal.timeout(TIMEOUT) });
    const text = await answer.text();
    if (answer.status === 404) throw new NotThere(path);
    if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
    return text;
  }
}

class NotThere extends Error {}
