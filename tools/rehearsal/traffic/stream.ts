import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, Sent } from './client';
import type { Figures } from './figures';
import { comeBack, visit, type World } from './journeys';
import { type Load, rateAt } from './profiles';
import { type Call, Shopper } from './shopper';

/** Requests that wait for an answer at most; more than that come to a shop that does not answer at all. */
const MAX_IN_FLIGHT = 2_000;

/** Milliseconds between an answer and the visitor's next request. */
const THINKING = 300;

/** Milliseconds after which somebody who left may come back, and with which chance instead of somebody new. */
const AWAY = 2_000;
const COMES_BACK = 0.4;

/** Milliseconds until somebody loads a page again that did not come. */
const RELOAD = 1_000;

export interface StreamOptions {
  readonly load: Load;
  /** How often a visitor loads a page again that did not come. */
  readonly reloads: number;
  readonly addresses: readonly string[];
  readonly client: Client;
  readonly figures: Figures;
  readonly world: World;
}

/**
 * Requests in an open model: they become due at the load's rate, at random like people's, however slow the answers are. Each
 * is made by a visitor who has looked at the last page long enough; where there is none, by one more who comes. A slow shop
 * thereby gets more visitors at once, and not fewer requests. What visitors load again comes on top of that.
 */
export class Stream {
  readonly shoppers: Shopper[] = [];
  cameBack = 0;
  factor = 1;
  /** Continues after the load's time, at the rate of its end, until {@link end}. */
  held = false;
  #inFlight = 0;
  #reloading = 0;
  #ended = false;
  /** In the order in which they are ready. */
  readonly #atOnce: Turn[] = [];
  readonly #thinking: Turn[] = [];
  readonly #away: Away[] = [];

  constructor(private readonly options: StreamOptions) {}

  /** Resolves when the load's time is over and it is not {@link held}, or {@link end} was called, and every request has ended. */
  async run(): Promise<void> {
    const { load, world, figures } = this.options;
    const start = performance.now();
    let due = 0;
    while (!this.#ended) {
      const elapsed = performance.now() - start;
      while (due <= elapsed && (this.held || due < load.seconds * 1000)) {
        this.#click(start + due);
        due += gap(rateAt(load, Math.min(load.seconds, due / 1000)) * this.factor, world.random());
      }
      if (!this.held && due >= load.seconds * 1000) break;
      await new Promise((resolve) => setTimeout(resolve, Math.min(20, Math.max(1, start + due - performance.now()))));
    }
    this.#ended = true;
    while (this.#inFlight + this.#reloading > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    figures.close();
  }

  end(): void {
    this.#ended = true;
  }

  /** One request, due at a moment (ms as of `performance.now()`). */
  #click(dueAt: number): void {
    const { figures } = this.options;
    if (this.#inFlight >= MAX_IN_FLIGHT) {
      figures.unsent(performance.now() - dueAt);
      return;
    }
    void this.#take(this.#next(), dueAt);
  }

  async #take({ shopper, call }: Turn, dueAt: number): Promise<void> {
    const { figures, reloads } = this.options;
    const before = totals(shopper);
    let answer = await this.#send({ shopper, call }, dueAt, false);
    for (let tries = 0; tries < reloads && this.#mayReload(call, answer); tries++) {
      this.#reloading += 1;
      await sleep(RELOAD);
      this.#reloading -= 1;
      answer = await this.#send({ shopper, call }, performance.now(), true);
    }
    const step = (shopper.journey as NonNullable<Shopper['journey']>).next(answer);
    const after = totals(shopper);
    figures.acknowledged += after.acknowledged - before.acknowledged;
    figures.missed += after.missed - before.missed;
    if (step.done) this.#leave(shopper);
    else this.#wait({ shopper, call: step.value });
  }

  async #send({ shopper, call }: Omit<Turn, 'readyAt'>, dueAt: number, again: boolean): Promise<Sent> {
    const { client, figures } = this.options;
    this.#inFlight += 1;
    figures.sent(performance.now() - dueAt, this.#inFlight, again);
    const answer = await client.send(shopper, call);
    this.#inFlight -= 1;
    figures.answered(call.kind, answer, performance.now() - dueAt);
    return answer;
  }

  /** Nobody presses twice what puts something into a cart. */
  #mayReload({ method }: Call, { outcome }: Sent): boolean {
    const missing = outcome === 'failed' || outcome === 'refused';
    return missing && method === 'GET' && !this.#ended && this.#inFlight < MAX_IN_FLIGHT;
  }

  #wait(turn: Omit<Turn, 'readyAt'>): void {
    const now = performance.now();
    if (turn.call.atOnce) this.#atOnce.push({ ...turn, readyAt: now });
    else this.#thinking.push({ ...turn, readyAt: now + THINKING });
  }

  #leave(shopper: Shopper): void {
    shopper.journey = undefined;
    if (!shopper.ledger.isEmpty) this.#away.push({ shopper, since: performance.now() });
  }

  #next(): Turn {
    const now = performance.now();
    const [browser] = this.#atOnce;
    const [ready] = this.#thinking;
    // Who waits longest, or a rush would leave nothing but the pictures of its pages for a while.
    if (ready && ready.readyAt <= Math.min(now, browser?.readyAt ?? now)) return this.#thinking.shift() as Turn;
    return this.#atOnce.shift() ?? this.#arrive(now);
  }

  #arrive(now: number): Turn {
    const { world, addresses } = this.options;
    const [longest] = this.#away;
    if (longest && now - longest.since >= AWAY && world.random() < COMES_BACK) {
      const { shopper } = this.#away.shift() as Away;
      this.cameBack += 1;
      return begin(shopper, comeBack(shopper, world), now);
    }
    const shopper = new Shopper(addresses[this.shoppers.length % addresses.length] as string);
    this.shoppers.push(shopper);
    return begin(shopper, visit(shopper, world), now);
  }
}

interface Turn {
  readonly shopper: Shopper;
  readonly call: Call;
  /** As of `performance.now()`. */
  readonly readyAt: number;
}

interface Away {
  readonly shopper: Shopper;
  readonly since: number;
}

function begin(shopper: Shopper, journey: NonNullable<Shopper['journey']>, now: number): Turn {
  shopper.journey = journey;
  // Every journey begins with a request.
  return { shopper, call: journey.next().value as Call, readyAt: now };
}

function totals({ ledger }: Shopper) {
  const { acknowledged, lost, orders } = ledger;
  const ordered = orders.length - (ledger.pending ? 1 : 0);
  return { acknowledged: acknowledged.cartItems + acknowledged.logIns + ordered, missed: lost.cartItems + lost.logIns };
}

/** Milliseconds to the next request of a Poisson process; where nothing is due, until it is looked again. */
function gap(rate: number, random: number): number {
  return rate > 0 ? (-Math.log(1 - random) / rate) * 1000 : 100;
}
