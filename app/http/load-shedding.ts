import type { IncomingMessage, Server, ServerResponse } from 'node:http';

/**
 * Requests of visitors that a process works on at once. More in flight only wait longer for the same processor and the same
 * connections to the database; those beyond it are refused at once, so that those within it are answered in time.
 */
const MAX_IN_FLIGHT = 128;

/**
 * Milliseconds that one turn of the event loop may go on taking up requests. What is readable at the beginning of a turn has
 * waited since the turn before, so this bounds how long a request waits for its turn, also where answers are made without
 * waiting for anything and none is ever in flight.
 */
const MAX_TURN = 75;

/**
 * Requests that a turn takes up in any case. Fewer are no overload: their turn was long because the processor was busy with
 * something else, or code ran for the first time, and a browser that opens six connections would see its page fail.
 */
const MIN_TURN = 16;

/** Health checks decide over the life of a server, and one that is busy is alive. */
const ALWAYS = /^\/(healthz|readyz|whoami)$/;

/** Made from memory, but for the visitor's name: they must not be refused because other requests wait for the database. */
const FROM_MEMORY = /^\/(api\/products|products\/|assets\/|\?|$)/;

const API_REFUSAL = refusal(
  'application/json',
  '{"error":{"code":"overloaded","message":"The shop is very busy. Please try again in a moment."}}',
);

const PAGE_REFUSAL = refusal(
  'text/html',
  '<!doctype html><html lang="en"><meta charset="utf-8"><title>One moment, please</title>' +
    '<h1>One moment, please</h1><p>The shop is very busy. Please try again in a moment.</p></html>',
);

/**
 * Refuses what is more than this process can do: 503 with `Retry-After`, before anything is spent on it. Work that is begun
 * and then given up by an impatient client is what makes an overloaded server slower the more is asked of it.
 */
export class LoadShedding {
  /** Since the process started. */
  readonly counters = { shed: 0 };
  readonly #inFlight = { fromMemory: 0, others: 0 };
  readonly #turn = { began: 0, requests: 0 };

  /** Puts itself before what handles the server's requests. Refusing there costs a fraction of what the framework does. */
  guard(server: Server): void {
    const handlers = server.listeners('request') as ((request: IncomingMessage, response: ServerResponse) => void)[];
    server.removeAllListeners('request');
    server.on('request', (request, response) => {
      const url = request.url ?? '';
      if (ALWAYS.test(url) || this.#admits(url, response)) for (const handle of handlers) handle(request, response);
      else this.#refuse(url, response);
    });
  }

  #admits(url: string, response: ServerResponse): boolean {
    if (this.#turnIsOver()) return false;
    const kind = FROM_MEMORY.test(url) ? 'fromMemory' : 'others';
    if (this.#inFlight[kind] >= MAX_IN_FLIGHT) return false;
    this.#inFlight[kind] += 1;
    response.once('close', () => {
      this.#inFlight[kind] -= 1;
    });
    return true;
  }

  #turnIsOver(): boolean {
    const turn = this.#turn;
    const now = performance.now();
    if (turn.requests === 0) {
      turn.began = now;
      // Runs when all that was readable has been read.
      setImmediate(() => {
        turn.requests = 0;
      });
    }
    turn.requests += 1;
    return turn.requests > MIN_TURN && now - turn.began > MAX_TURN;
  }

  #refuse(url: string, response: ServerResponse): void {
    this.counters.shed += 1;
    const { headers, body } = url.startsWith('/api/') ? API_REFUSAL : PAGE_REFUSAL;
    response.sendDate = false;
    response.writeHead(503, headers);
    response.end(body);
  }
}

/** Made once, as a refusal must cost as little as can be. */
function refusal(type: string, body: string): { readonly headers: string[]; readonly body: string } {
  const headers = {
    'content-type': `${type}; charset=utf-8`,
    'content-length': String(Buffer.byteLength(body)),
    'cache-control': 'no-store',
    'retry-after': '1',
  };
  return { headers: Object.entries(headers).flat(), body };
}
