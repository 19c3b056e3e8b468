import type { Second } from '../traffic/messages';
import type { Load } from '../traffic/profiles';
import { startTraffic, type Traffic, visitorAddresses } from '../traffic/traffic';
import type { Offer } from './state';

/** They go by themselves. */
const LOAD: Load = { profile: 'steady', rps: 20, seconds: 600, factor: 1 };
const MOST_TRAFFIC = 16;

export interface VisitorsOptions {
  /** Where they enter. */
  readonly url: string;
  /** Connection string of the primary, for full shelves and customers' accounts. */
  readonly databaseUrl: string;
}

/** Visitors that buttons of the board send to a shop on this machine. */
export class Visitors {
  #traffic: Traffic | undefined;
  #second: Second | undefined;
  #factor = 1;
  #stopped = false;

  /** @param where asked each time that visitors are sent */
  constructor(
    private readonly where: () => VisitorsOptions,
    private readonly tell: (what: string) => void,
  ) {}

  /** What they saw last; absent while there are none. */
  get second(): Second | undefined {
    return this.#second;
  }

  offers(): Offer[] {
    if (this.#traffic === undefined) {
      return [{ of: 'traffic', id: 'send-visitors', label: 'Send visitors', run: () => this.#send() }];
    }
    const to = (id: string, label: string, factor: number, why: string | false): Offer => ({
      of: 'traffic',
      id,
      label,
      unavailable: why || undefined,
      run: async () => this.#scale(factor),
    });
    const twice = this.#factor * 2;
    return [
      to(
        'more-traffic',
        'Twice the traffic',
        twice,
        twice > MOST_TRAFFIC && `${LOAD.rps * MOST_TRAFFIC}/s are the most`,
      ),
      to('less-traffic', 'Half the traffic', this.#factor / 2, this.#factor <= 1 && `${LOAD.rps}/s are the least`),
      { of: 'traffic', id: 'end-visitors', label: 'Send them home', run: async () => this.#traffic?.end() },
    ];
  }

  /** Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#traffic?.stop();
  }

  async #send(): Promise<void> {
    this.#factor = 1;
    const seed = Date.now() % 2 ** 31;
    const traffic = await startTraffic({ ...this.where(), load: LOAD, addresses: visitorAddresses(), seed });
    if (this.#stopped) return traffic.stop();
    this.#traffic = traffic;
    this.tell(
      `visitors come, ${LOAD.rps} requests/s for ${LOAD.seconds / 60} minutes; shelves are filled for them, and their orders are kept`,
    );
    traffic.events.on('second', (second) => {
      this.#second = second;
    });
    void traffic.ended
      .then(() => this.tell('the visitors have left'))
      .catch((error: Error) => this.tell(error.message))
      .finally(async () => {
        this.#traffic = undefined;
        this.#second = undefined;
        await traffic.stop();
      });
  }

  #scale(factor: number): void {
    this.#factor = factor;
    this.#traffic?.scale(factor);
    this.tell(`traffic: ${LOAD.rps * factor} requests/s`);
  }
}
