import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, Sent } from './client';
import type { Figures } from './figures';
import { type JourneyContext, returnVisit, visit } from './journeys';
import { type Load, rateAt } from './profiles';
import { type Call, Shopper } from './shopper';

/** Maximum number of requests in flight; only reached when the shop does not respond. */
const MAX_IN_FLIGHT = 2_000;

/** Milliseconds between a response and the visitor's next request. */
const THINK_TIME = 300;

/** Milliseconds before a visitor may return, and the probability that an arrival is a return instead of a new visitor. */
const RETURN_AFTER = 2_000;
const RETURN_PROBABILITY = 0.4;

/** Milliseconds before a failed request is retried. */
const RETRY_DELAY = 1_000;

export interface StreamOptions {
  readonly load: Load;
  /** Retries per failed request. */
  readonly reloads: number;
  readonly addresses: readonly string[];
  readonly client: Client;
  readonly figures: Figures;
  readonly context: JourneyContext;
}

/**
 * Open-loop load: requests become due as a Poisson process at the load's rate, independent of response times. Each goes to a
 * visitor whose think time is over, or to a new visitor. A slow shop thus gets more concurrent visitors, not fewer requests.
 * Retries are added to the load.
 */
export class Stream {
  readonly shoppers: Shopper[] = [];
  cameBack = 0;
  factor = 1;
  /** Continue after the load's duration, at its final rate, until {@link end}. */
  held = false;
  #inFlight = 0;
  #retrying = 0;
  #ended = false;
  /** Queues in order of readiness. */
  readonly #immediate: Turn[] = [];
  readonly #thinking: Turn[] = [];
  readonly #departed: Departed[] = [];

  constructor(private readonly options: StreamOptions) {}

  /** Resolves when the load's duration is over (unless {@link held}) or {@link end} is called, and every request has completed. */
  async run(): Promise<void> {
    const { load, context, figures } = this.options;
    const start = performance.now();
    let due = 0;
    while (!this.#ended) {
      const elapsed = performance.now() - start;
      while (due <= elapsed && (this.held || due < load.seconds * 1000)) {
        this.#sendDue(start + due);
        due += interarrivalTime(rateAt(load, Math.min(load.seconds, due / 1000)) * this.factor, context.random());
      }
      if (!this.held && due >= load.seconds * 1000) break;
      await new Promise((resolve) => setTimeout(resolve, Math.min(20, Math.max(1, start + due - performance.now()))));
    }
    this.#ended = true;
    while (this.#inFlight + this.#retrying > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    figures.close();
  }

  end(): void {
    this.#ended = true;
  }

  /** Sends one request. @param dueAt in ms of `performance.now()` */
  #sendDue(dueAt: number): void {
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
    for (let tries = 0; tries < reloads && this.#shouldRetry(call, answer); tries++) {
      this.#retrying += 1;
      await sleep(RETRY_DELAY);
      this.#retrying -= 1;
      answer = await this.#send({ shopper, call }, performance.now(), true);
    }
    const step = (shopper.journey as NonNullable<Shopper['journey']>).next(answer);
    const after = totals(shopper);
    figures.acknowledged += after.acknowledged - before.acknowledged;
    figures.missed += after.missed - before.missed;
    if (step.done) this.#leave(shopper);
    else this.#enqueue({ shopper, call: step.value });
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

  /** Only GET is retried: a second POST would add another item. */
  #shouldRetry({ method }: Call, { outcome }: Sent): boolean {
    const isFailure = outcome === 'failed' || outcome === 'refused';
    return isFailure && method === 'GET' && !this.#ended && this.#inFlight < MAX_IN_FLIGHT;
  }

  #enqueue(turn: Omit<Turn, 'readyAt'>): void {
    const now = performance.now();
    if (turn.call.immediate) this.#immediate.push({ ...turn, readyAt: now });
    else this.#thinking.push({ ...turn, readyAt: now + THINK_TIME });
  }

  #leave(shopper: Shopper): void {
    shopper.journey = undefined;
    if (!shopper.ledger.isEmpty) this.#departed.push({ shopper, since: performance.now() });
  }

  #next(): Turn {
    const now = performance.now();
    const [browser] = this.#immediate;
    const [ready] = this.#thinking;
    // Longest wait first; otherwise a rush would send only images for a while.
    if (ready && ready.readyAt <= Math.min(now, browser?.readyAt ?? now)) return this.#thinking.shift() as Turn;
    return this.#immediate.shift() ?? this.#arrive(now);
  }

  #arrive(now: number): Turn {
    const { context, addresses } = this.options;
    const [longest] = this.#departed;
    if (longest && now - longest.since >= RETURN_AFTER && context.random() < RETURN_PROBABILITY) {
      const { shopper } = this.#departed.shift() as Departed;
      this.cameBack += 1;
      return begin(shopper, returnVisit(shopper, context), now);
    }
    const shopper = new Shopper(addresses[this.shoppers.length % addresses.length] as string);
    this.shoppers.push(shopper);
    return begin(shopper, visit(shopper, context), now);
  }
}

interface Turn {
  readonly shopper: Shopper;
  readonly call: Call;
  /** In ms of `performance.now()`. */
  readonly readyAt: number;
}

interface Departed {
  readonly shopper: Shopper;
  readonly since: number;
}

function begin(shopper: Shopper, journey: NonNullable<Shopper['journey']>, now: number): Turn {
  shopper.journey = journey;
  // Every journey starts with a request.
  return { shopper, call: journey.next().value as Call, readyAt: now };
}

function totals({ ledger }: Shopper) {
  const { acknowledged, lost, orders } = ledger;
  const ordered = orders.length - (ledger.pending ? 1 : 0);
  return { acknowledged: acknowledged.cartItems + acknowledged.logIns + ordered, missed: lost.cartItems + lost.logIns };
}

/** Milliseconds to the next arrival of a Poisson process; at rate 0, to the next check of the rate. */
function interarrivalTime(rate: number, random: number): number {
  return rate > 0 ? (-Math.log(1 - random) / rate) * 1000 : 100;
}
