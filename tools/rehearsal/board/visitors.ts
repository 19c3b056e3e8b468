import type { Second } from '../traffic/messages';
import type { Load } from '../traffic/profiles';
import { startTraffic, type Traffic, visitorAddresses } from '../traffic/traffic';
import type { Offer } from './state';

/** The traffic ends after this time. */
const LOAD: Load = { profile: 'steady', rps: 20, seconds: 600, factor: 1 };
/** Highest traffic, as a factor of the initial rate. */
const MAX_FACTOR = 16;

export interface VisitorsOptions {
  /** URL of the shop. */
  readonly url: string;
  /** Connection string of the primary, to replenish stock and create customer accounts. */
  readonly databaseUrl: string;
}

/** Simulated visitors of a shop on this machine, started and stopped by buttons. */
export class Visitors {
  #traffic: Traffic | undefined;
  #second: Second | undefined;
  #factor = 1;
  #stopped = false;

  /** @param target called at each start of the traffic, because addresses change with the phase */
  constructor(
    private readonly target: () => VisitorsOptions,
    private readonly log: (what: string) => void,
  ) {}

  /** Figures of the last second. Absent while no traffic runs. */
  get second(): Second | undefined {
    return this.#second;
  }

  offers(): Offer[] {
    if (this.#traffic === undefined) {
      return [{ of: 'traffic', id: 'send-visitors', label: 'Start traffic', run: () => this.#start() }];
    }
    const scaleTo = (id: string, label: string, factor: number, unavailable: string | false): Offer => ({
      of: 'traffic',
      id,
      label,
      unavailable: unavailable || undefined,
      run: async () => this.#scale(factor),
    });
    const twice = this.#factor * 2;
    return [
      scaleTo(
        'more-traffic',
        'Double traffic',
        twice,
        twice > MAX_FACTOR && `maximum of ${LOAD.rps * MAX_FACTOR} requests/s reached`,
      ),
      scaleTo(
        'less-traffic',
        'Halve traffic',
        this.#factor / 2,
        this.#factor <= 1 && `minimum of ${LOAD.rps} requests/s reached`,
      ),
      { of: 'traffic', id: 'end-visitors', label: 'Stop traffic', run: async () => this.#traffic?.end() },
    ];
  }

  /** Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#traffic?.stop();
  }

  async #start(): Promise<void> {
    this.#factor = 1;
    const seed = Date.now() % 2 ** 31;
    const traffic = await startTraffic({ ...this.target(), load: LOAD, addresses: visitorAddresses(), seed });
    if (this.#stopped) return traffic.stop();
    this.#traffic = traffic;
    this.log(
      `traffic started: ${LOAD.rps} requests/s for ${LOAD.seconds / 60} minutes; stock replenished, orders are kept`,
    );
    traffic.events.on('second', (second) => {
      this.#second = second;
    });
    void traffic.ended
      .then(() => this.log('traffic stopped'))
      .catch((error: Error) => this.log(error.message))
      .finally(async () => {
        this.#traffic = undefined;
        this.#second = undefined;
        await traffic.stop();
      });
  }

  #scale(factor: number): void {
    this.#factor = factor;
    this.#traffic?.scale(factor);
    this.log(`traffic: ${LOAD.rps * factor} requests/s`);
  }
}
