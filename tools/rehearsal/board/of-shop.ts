import { cpuSeconds } from '../programs/process-tree';
import type { RunningShop } from '../start/start';
import { Poller } from './poller';
import type { BoardSource, BoardState, Offer } from './state';
import { buttonsOf, singleServerFigures, visitorsOf } from './topology-view';
import { Visitors } from './visitors';

/** Board source of the phase 1 or 2 shop that `npm start` runs. */
export class ShopBoard implements BoardSource {
  readonly shop: string;
  readonly #poller = new Poller(async (at) => this.#state(at));
  readonly #visitors: Visitors;
  #restarting = false;
  #previous: { at: number; shop: number; database: number } | undefined;

  constructor(
    private readonly running: RunningShop,
    private readonly phase: 1 | 2,
    readonly title: string,
  ) {
    this.shop = running.url;
    this.#visitors = new Visitors(
      () => ({ url: `http://127.0.0.1:${running.shop.port}`, databaseUrl: running.database.url() }),
      this.#poller.log,
    );
  }

  get watch(): BoardSource['watch'] {
    return this.#poller.watch;
  }

  offers(): Offer[] {
    const { name } = this.running;
    const unavailable = this.#restarting ? 'restarting' : undefined;
    return [
      ...this.#visitors.offers(),
      { of: name, id: 'kill-server', label: 'Kill', unavailable, run: () => this.#kill() },
    ];
  }

  async stop(): Promise<void> {
    this.#poller.stop();
    await this.#visitors.stop();
  }

  async #kill(): Promise<void> {
    const { name } = this.running;
    this.#restarting = true;
    this.#poller.log(`killed ${name}`);
    this.#poller.poll();
    try {
      await this.running.restart();
      this.#poller.log(`${name} is in service`);
    } finally {
      this.#restarting = false;
    }
  }

  #state(at: number): BoardState {
    const { shop, database, name } = this.running;
    const now = { at, shop: cpuSeconds(shop.pid), database: cpuSeconds(database.pid) };
    // The first poll has no earlier values to compare with.
    const previous = this.#previous ?? { ...now, at: at - 1 };
    this.#previous = now;
    const cpu = (of: 'shop' | 'database') => Math.max(0, now[of] - previous[of]) / Math.max(0.1, at - previous.at);
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
