import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

export interface LoadSheddingOptions {
  /** URLs that are never shed, such as health checks: a busy server is alive. */
  readonly exempt: RegExp;
  /** URLs whose responses need no database. They have a lane of their own, so that a slow database does not block them. */
  readonly fromMemory: RegExp;
  /** Response to a shed request. */
  readonly refusal: (url: string) => { readonly contentType: string; readonly body: string };
}

/** Requests of one lane in progress. More would only wait longer for the same CPU and the same database connections. */
const MAX_CONCURRENT = 128;

/** Maximum wait in milliseconds. Requests that wait no longer are a burst, which the process can still answer in time. */
const MAX_WAIT = 200;

/**
 * Maximum wait in milliseconds once a lane has been congested for {@link MAX_WAIT}. A standing queue adds latency to every
 * request and throughput to none, so it is kept short, as CoDel does.
 *
 * @see https://queue.acm.org/detail.cfm?id=2839461 "Controlled delay"
 */
const MAX_STANDING_WAIT = 100;

/**
 * Milliseconds of work until the event loop reads from the sockets again. The wait of a request is measured from the moment that it
 * was read, so this is the error of the measurement.
 */
const SLICE = 10;

/** Milliseconds between two checks of lanes whose requests in progress do not finish. */
const CHECK_INTERVAL = 20;

interface Waiting {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly handle: RequestListener;
  readonly since: number;
}

interface Lane {
  inProgress: number;
  /** First in, first out. */
  readonly waiting: Waiting[];
  /** When the first request had to wait after a time without any. */
  congestedSince: number;
}

/**
 * Sheds the requests that would wait too long: 503 with `Retry-After`, before the process spends any work on them. A server
 * that works on requests whose clients have given up gets slower the more load it receives.
 *
 * Node.js handles all readable requests in one event-loop iteration, however long it takes, while the next ones wait unseen in
 * their sockets. This class handles them in slices instead. Whatever does not fit waits in a queue, where the wait is known.
 */
export class LoadShedding {
  /** Shed requests since the start of the process. */
  readonly counters = { shed: 0 };
  readonly #fromMemory: Lane = { inProgress: 0, waiting: [], congestedSince: 0 };
  readonly #others: Lane = { inProgress: 0, waiting: [], congestedSince: 0 };
  readonly #lanes = [this.#fromMemory, this.#others];
  readonly #refusals = new WeakSet<ServerResponse>();
  #sliceStart = 0;
  #isSliceScheduled = false;
  #check: NodeJS.Timeout | undefined;

  constructor(private readonly options: LoadSheddingOptions) {}

  /** Returns a listener that passes the requests that are not shed to `handle`. */
  guard(handle: RequestListener): RequestListener {
    return (request, response) => {
      const url = request.url ?? '';
      if (this.options.exempt.test(url)) return handle(request, response);
      const now = performance.now();
      if (!this.#isSliceScheduled) this.#beginSlice(now);
      const lane = this.options.fromMemory.test(url) ? this.#fromMemory : this.#others;
      const arrived = { request, response, handle, since: now };
      if (lane.waiting.length === 0) {
        if (this.#canStart(lane) && now - this.#sliceStart < SLICE) return this.#start(lane, arrived);
        lane.congestedSince = now;
      }
      lane.waiting.push(arrived);
    };
  }

  /** Whether this is the response to a shed request. */
  isRefusal(response: ServerResponse): boolean {
    return this.#refusals.has(response);
  }

  /** Starts waiting requests when the event loop has read from the sockets. */
  #beginSlice(now: number): void {
    this.#sliceStart = now;
    this.#isSliceScheduled = true;
    setImmediate(() => {
      this.#isSliceScheduled = false;
      this.#work();
    });
  }

  #work(): void {
    clearTimeout(this.#check);
    this.#check = undefined;
    const now = performance.now();
    for (const lane of this.#lanes) this.#shedOverdue(lane, now);
    if (this.#firstStartable() === undefined) {
      if (this.#lanes.some((lane) => lane.waiting.length > 0)) {
        this.#check = setTimeout(() => this.#work(), CHECK_INTERVAL);
      }
      return;
    }
    if (!this.#isSliceScheduled) this.#beginSlice(now);
    for (let lane = this.#firstStartable(); lane !== undefined; lane = this.#firstStartable()) {
      if (performance.now() - this.#sliceStart >= SLICE) return;
      this.#start(lane, lane.waiting.shift() as Waiting);
    }
  }

  #shedOverdue(lane: Lane, now: number): void {
    const isStanding = now - lane.congestedSince > MAX_WAIT;
    const overdue = now - (isStanding ? MAX_STANDING_WAIT : MAX_WAIT);
    while (lane.waiting.length > 0 && (lane.waiting[0] as Waiting).since < overdue) {
      this.#shed(lane.waiting.shift() as Waiting);
    }
  }

  /** Returns the lane whose first request has waited longest, of the lanes that can start one. */
  #firstStartable(): Lane | undefined {
    const startable = this.#lanes.filter((lane) => lane.waiting.length > 0 && this.#canStart(lane));
    const since = (lane: Lane) => (lane.waiting[0] as Waiting).since;
    return startable.sort((a, b) => since(a) - since(b))[0];
  }

  #canStart(lane: Lane): boolean {
    return lane.inProgress < MAX_CONCURRENT;
  }

  #start(lane: Lane, { request, response, handle }: Waiting): void {
    // The client has given up.
    if (response.destroyed) return;
    lane.inProgress += 1;
    response.once('close', () => {
      lane.inProgress -= 1;
      if (lane.waiting.length > 0) this.#work();
    });
    handle(request, response);
  }

  #shed({ request, response }: Waiting): void {
    this.counters.shed += 1;
    this.#refusals.add(response);
    const { contentType, body } = this.options.refusal(request.url ?? '');
    response.writeHead(503, {
      'content-type': contentType,
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
      'retry-after': '1',
    });
    response.end(body);
  }
}
