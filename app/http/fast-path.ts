import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

/** Responses that are kept. The oldest are dropped first. A page has about 12 KB. */
const MAX_ENTRIES = 500;

/** Maximum length of a URL. Anyone can request longer ones. */
const MAX_URL = 300;

/** Milliseconds for which an expired response is still sent while one request makes the next one. */
const STALE = 1_000;

interface Entry {
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: Buffer;
  /** Time of `performance.now()`. */
  readonly freshUntil: number;
  isRenewing: boolean;
}

/**
 * Answers anonymous requests for the catalog in front of Express, from the bytes of an earlier response. Routing, middleware and
 * rendering take many times longer than sending those bytes.
 */
export class FastPath {
  readonly #entries = new Map<string, Entry>();
  /** Of the requests that were passed on: middleware changes URL and headers. */
  readonly #keys = new WeakMap<IncomingMessage, string>();

  /** @param onHit called for each response from the fast path */
  constructor(private readonly onHit: () => void) {}

  /** Returns a listener that passes all other requests to `handle`. */
  before(handle: RequestListener): RequestListener {
    return (request, response) => {
      const key = keyOf(request);
      const entry = key === undefined ? undefined : this.#find(key);
      if (entry === undefined) {
        if (key !== undefined) this.#keys.set(request, key);
        return handle(request, response);
      }
      this.onHit();
      response.writeHead(200, entry.headers as string[]);
      response.end(entry.body);
    };
  }

  /**
   * Sends `body`. Keeps the response for the next visitors if the request is anonymous.
   *
   * @param freshUntil time of `performance.now()`; undefined if the response fits only this request
   */
  send(request: IncomingMessage, response: ServerResponse, body: Buffer, freshUntil: number | undefined): void {
    response.setHeader('Content-Length', body.length);
    const key = this.#keys.get(request);
    if (key !== undefined) this.#keep(key, response, body, freshUntil);
    response.end(body);
  }

  #keep(key: string, response: ServerResponse, body: Buffer, freshUntil: number | undefined): void {
    if (freshUntil === undefined) {
      // The next request renews the entry.
      const entry = this.#entries.get(key);
      if (entry) entry.isRenewing = false;
      return;
    }
    // Missing in the types for Node.js 20.
    const { getRawHeaderNames } = response as ServerResponse & { getRawHeaderNames(): string[] };
    const names = getRawHeaderNames.call(response);
    const headers = names.flatMap((name) => [name, String(response.getHeader(name))]);
    // Again last, so that the entries that are requested stay.
    this.#entries.delete(key);
    this.#entries.set(key, { headers, body, freshUntil, isRenewing: false });
    if (this.#entries.size > MAX_ENTRIES) this.#entries.delete(this.#entries.keys().next().value as string);
  }

  #find(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const overdue = performance.now() - entry.freshUntil;
    if (overdue < 0) return entry;
    if (overdue > STALE || !entry.isRenewing) {
      entry.isRenewing = true;
      return undefined;
    }
    return entry;
  }
}

/** Undefined if the request is not anonymous. The visitor's protocol determines some of the headers. */
function keyOf({ method, url = '', headers }: IncomingMessage): string | undefined {
  if (method !== 'GET' || headers.cookie !== undefined || url.length > MAX_URL) return undefined;
  return `${headers['x-forwarded-proto'] ?? ''} ${url}`;
}
