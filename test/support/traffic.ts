import type { Second } from '../../tools/rehearsal/traffic/messages';
import { startTraffic, type Traffic } from '../../tools/rehearsal/traffic/traffic';
import { type ShopServer, TestBed } from './shop';

/** Servers and traffic of the tests in one file. */
export class TrafficTestBed {
  readonly #started: Traffic[] = [];

  private constructor(readonly shops: TestBed) {}

  static async open(): Promise<TrafficTestBed> {
    return new TrafficTestBed(await TestBed.open());
  }

  async close(): Promise<void> {
    for (const traffic of this.#started) await traffic.stop();
    await this.shops.close();
  }

  /** Starts a server with an empty database. */
  async serve(env: Record<string, string> = {}): Promise<{ database: string; shop: ShopServer }> {
    const database = await this.shops.database();
    return { database, shop: await this.shops.serve(database, { LOG_LEVEL: 'warn', ...env }) };
  }

  async startTraffic(url: string, databaseUrl: string): Promise<Traffic> {
    const load = { profile: 'steady', rps: 120, seconds: 300, factor: 1 } as const;
    const traffic = await startTraffic({ url, load, databaseUrl, addresses: ['127.0.0.1'], seed: 1 });
    this.#started.push(traffic);
    return traffic;
  }
}

/** Resolves when the shop has confirmed a number of cart items, orders and logins. */
export function confirmed(traffic: Traffic, count: number): Promise<void> {
  const message = `fewer than ${count} confirmations in the whole run`;
  return until(traffic, ({ acknowledged }) => acknowledged >= count, message);
}

/** Resolves in the next second with failed requests. */
export function failing(traffic: Traffic): Promise<void> {
  return until(traffic, ({ counts }) => counts.failed > 0, 'no request failed in the whole run');
}

/** Resolves after the first second that meets a condition, or rejects with `message` when the traffic ends. */
function until(traffic: Traffic, isMet: (second: Second) => boolean, message: string): Promise<void> {
  return new Promise((resolve, reject) => {
    traffic.events.on('second', (second) => {
      if (isMet(second)) resolve();
    });
    traffic.ended.then(() => reject(new Error(message)), reject);
  });
}
