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
export function confirmed(traffic: Traffic, count: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    traffic.events.on('second', ({ acknowledged }) => {
      if (acknowledged >= count) resolve(acknowledged);
    });
    traffic.ended.then(() => reject(new Error(`fewer than ${count} confirmations in the whole run`)), reject);
  });
}

/** Resolves in the next second with failed requests. */
export function failing(traffic: Traffic): Promise<unknown> {
  return new Promise((resolve, reject) => {
    traffic.events.on('second', ({ counts }) => {
      if (counts.failed > 0) resolve(counts);
    });
    traffic.ended.then(() => reject(new Error('no request failed in the whole run')), reject);
  });
}
