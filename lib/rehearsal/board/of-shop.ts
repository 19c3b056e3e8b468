import { cpuSeconds, processTree } from '../process-tree';
import { notOk } from '../report/words';
import type { RunningShop } from '../start';
import type { Second } from '../traffic/messages';
import type { Load } from '../traffic/profiles';
import { startTraffic, type Traffic, visitorAddresses } from '../traffic/traffic';
import { Feed } from './feed';
import type { BoardSource, BoardState, Offer } from './state';

/** Visitors that a button sends to the shop on this machine; they go by themselves. */
const LOAD: Load = { profile: 'steady', rps: 20, seconds: 600, factor: 1 };
const MOST_TRAFFIC = 16;

/** The shop that `npm start` runs, for the board. Nothing is measured while nobody looks. */
export function shopBoard(running: RunningShop, phase: 1 | 2): BoardSource {
  return new ShopBoard(running, phase);
}

class ShopBoard implements BoardSource {
  readonly title: string;
  readonly shop: string;
  readonly #feed = new Feed();
  readonly #begin = performance.now();
  #traffic: Traffic | undefined;
  #factor = 1;
  #second: Second | undefined;
  #restarting = false;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #before = { at: 0, shop: 0, database: 0 };

  constructor(
    private readonly running: RunningShop,
    private readonly phase: 1 | 2,
  ) {
    this.title = `The shop on this machine, as in phase ${phase}`;
    this.shop = running.url;
  }

  watch(tell: Parameters<Feed['watch']>[0]): () => void {
    const unwatch = this.#feed.watch(tell);
    this.#timer ??= setInterval(() => this.#look(), 1000);
    this.#look();
    return () => {
      unwatch();
      if (!this.#feed.watched) this.#sleep();
    };
  }

  offers(): Offer[] {
    const server: Offer[] = this.#restarting
      ? []
      : [{ of: this.running.name, id: 'kill-server', label: 'Kill', run: () => this.#kill() }];
    const to = (id: string, label: string, factor: number): Offer => ({
      of: 'traffic',
      id,
      label,
      run: async () => this.#scale(factor),
    });
    if (this.#traffic === undefined) {
      return [{ of: 'traffic', id: 'send-visitors', label: 'Send visitors', run: () => this.#send() }, ...server];
    }
    return [
      ...(this.#factor < MOST_TRAFFIC ? [to('more-traffic', 'Twice the traffic', this.#factor * 2)] : []),
      ...(this.#factor > 1 ? [to('less-traffic', 'Half the traffic', this.#factor / 2)] : []),
      { of: 'traffic', id: 'end-visitors', label: 'Send them home', run: async () => this.#traffic?.end() },
      ...server,
    ];
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#sleep();
    await this.#traffic?.stop();
  }

  async #send(): Promise<void> {
    const { database, shop } = this.running;
    this.#factor = 1;
    const traffic = await startTraffic({
      url: `http://127.0.0.1:${shop.port}`,
      databaseUrl: database.url(),
      load: LOAD,
      addresses: visitorAddresses(),
      seed: Date.now() % 2 ** 31,
    });
    if (this.#stopped) return traffic.stop();
    this.#traffic = traffic;
    this.#tell(
      `visitors come, ${LOAD.rps} requests/s for ${LOAD.seconds / 60} minutes; shelves are filled for them, and their orders are kept`,
    );
    traffic.events.on('second', (second) => {
      this.#second = second;
    });
    void traffic.ended
      .then(() => this.#tell('the visitors have left'))
      .catch((error: Error) => this.#tell(error.message))
      .finally(async () => {
        this.#traffic = undefined;
        this.#second = undefined;
        await traffic.stop();
      });
  }

  #scale(factor: number): void {
    this.#factor = factor;
    this.#traffic?.scale(factor);
    this.#tell(`traffic: ${LOAD.rps * factor} requests/s`);
  }

  async #kill(): Promise<void> {
    this.#restarting = true;
    this.#tell(`killed ${this.running.name}`);
    this.#look();
    try {
      await this.running.restart();
      this.#tell(`${this.running.name} is in service again`);
    } finally {
      this.#restarting = false;
    }
  }

  #look(): void {
    if (this.#feed.watched) this.#feed.publish({ kind: 'state', state: this.#state() });
  }

  #state(): BoardState {
    const { shop, database, name } = this.running;
    const used = (pid: number) => processTree(pid).reduce((sum, one) => sum + cpuSeconds(one), 0);
    const now = { at: this.#at(), shop: used(shop.pid), database: used(database.pid) };
    const cpu = (of: 'shop' | 'database') => Math.max(0, now[of] - this.#before[of]) / (now.at - this.#before.at);
    // The first look has nothing to compare with.
    const first = this.#before.at === 0 || now.at - this.#before.at < 0.1;
    const [ofShop, ofDatabase] = first ? [0, 0] : [cpu('shop'), cpu('database')];
    this.#before = now;
    const second = this.#second;
    const rps = second && Object.values(second.counts).reduce((sum, count) => sum + count, 0);
    return {
      at: now.at,
      phase: this.phase,
      desired: 1,
      ...(second && {
        visitors: {
          rps: rps ?? 0,
          p50: second.latency.p50,
          p99: second.latency.p99,
          failed: notOk(second.counts),
          acknowledged: second.acknowledged,
          missed: second.missed,
        },
      }),
      balancer: false,
      servers: [
        {
          name,
          zone: 'a',
          state: this.#restarting ? 'out-of-service' : 'in-service',
          cpu: ofShop,
          ...(second && { rps: rps ?? 0, failed: notOk(second.counts), latencyMs: second.latency.p50 }),
        },
      ],
      workers: [],
      stores: [{ name: 'primary', up: true, figures: [`${ofDatabase.toFixed(2)} vCPU`] }],
      buttons: this.offers().map(({ run: _, ...button }) => button),
    };
  }

  #sleep(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#before = { at: 0, shop: 0, database: 0 };
  }

  #tell(what: string): void {
    this.#feed.publish({ kind: 'event', event: { at: this.#at(), what } });
  }

  /** Seconds since the start. */
  #at(): number {
    return (performance.now() - this.#begin) / 1000;
  }
}
