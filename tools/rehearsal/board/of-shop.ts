import { cpuSeconds } from '../programs/process-tree';
import type { RunningShop } from '../start/start';
import { Poller } from './poller';
import type { BoardSource, BoardState, Offer } from './state';
import { singleServerFigures, buttonsOf, visitorsOf } from './topology-view';
import { Visitors } from './visitors';

/** The shop of phase 1 or 2 that `npm start` runs, for the board. */
export class ShopBoard implements BoardSource {
  readonly shop: string;
  readonly #looking = new Poller(async (at) => this.#state(at));
  readonly #visitors: Visitors;
  #restarting = false;
  #before: { at: number; shop: number; database: number } | undefined;

  constructor(
    private readonly running: RunningShop,
    private readonly phase: 1 | 2,
    readonly title: string,
  ) {
    this.shop = running.url;
    this.#visitors = new Visitors(
      () => ({ url: `http://127.0.0.1:${running.shop.port}`, databaseUrl: running.database.url() }),
      this.#looking.tell,
    );
  }

  get watch(): BoardSource['watch'] {
    return this.#looking.watch;
  }

  offers(): Offer[] {
    const { name } = this.running;
    const unavailable = this.#restarting ? 'it is being started again' : undefined;
    return [
      ...this.#visitors.offers(),
      { of: name, id: 'kill-server', label: 'Kill', unavailable, run: () => this.#kill() },
    ];
  }

  async stop(): Promise<void> {
    this.#looking.stop();
    await this.#visitors.stop();
  }

  async #kill(): Promise<void> {
    const { name } = this.running;
    this.#restarting = true;
    this.#looking.tell(`killed ${name}`);
    this.#looking.now();
    try {
      await this.running.restart();
      this.#looking.tell(`${name} is in service again`);
    } finally {
      this.#restarting = false;
    }
  }

  #state(at: number): BoardState {
    const { shop, database, name } = this.running;
    const now = { at, shop: cpuSeconds(shop.pid), database: cpuSeconds(database.pid) };
    // The first look has nothing to compare with.
    const before = this.#before ?? { ...now, at: at - 1 };
    this.#before = now;
    const cpu = (of: 'shop' | 'database') => Math.max(0, now[of] - before[of]) / Math.max(0.1, at - before.at);
    const { second } = this.#visitors;
    const visitors = second && visitorsOf(second);
    return {
      at,
      phase: this.phase,
      desired: 1,
      ...(visitors && { visitors }),
      balancer: false,
      servers: [
        {
          name,
          zone: 'a',
          state: this.#restarting ? 'out-of-service' : 'in-service',
          cpu: cpu('shop'),
          ...(visitors && singleServerFigures(visitors)),
        },
      ],
      workers: [],
      stores: [{ name: 'primary', up: true, figures: [`${cpu('database').toFixed(2)} vCPU`] }],
      buttons: buttonsOf(this.offers()),
    };
  }
}
