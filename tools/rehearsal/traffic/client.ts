import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request } from 'undici';
import { EDGE_KEEP_ALIVE } from '../../../lib/constants';
import { SERVED_BY } from '../programs/haproxy';
import type { Outcome, Source } from './messages';
import type { Answer, Call, Shopper } from './shopper';

/** Request timeout in milliseconds. */
const TIMEOUT = 10_000;

/** Descriptions of the error codes of undici and Node. */
const ERROR_NAMES: Readonly<Record<string, string>> = {
  UND_ERR_HEADERS_TIMEOUT: `no response within ${TIMEOUT / 1000} s`,
  UND_ERR_BODY_TIMEOUT: 'incomplete response',
  UND_ERR_CONNECT_TIMEOUT: 'connect timeout',
  UND_ERR_SOCKET: 'connection reset',
  ECONNRESET: 'connection reset',
};

export interface Sent extends Answer {
  /** Reason of a failure: the status with the shop's error code, or the connection error. */
  readonly failure?: string;
  /** Only for catalogue responses. */
  readonly source?: Source | undefined;
  /** Port of the server that responded. Absent without a balancer. */
  readonly server?: string | undefined;
}

/** HTTP client of all visitors: keep-alive connections, each from its visitor's address. */
export class Client {
  readonly #agents = new Map<string, Agent>();

  /** @param url base URL for paths */
  constructor(private readonly url: string) {}

  async send(shopper: Shopper, call: Call): Promise<Sent> {
    const { cookie } = shopper;
    try {
      const { statusCode, headers, body } = await request(new URL(call.path, this.url), {
        method: call.method,
        dispatcher: this.#agent(shopper.address),
        headers: {
          ...(cookie !== undefined && { cookie }),
          ...(call.body && { 'content-type': 'application/json' }),
          ...call.headers,
        },
        body: call.body ? JSON.stringify(call.body) : null,
        headersTimeout: TIMEOUT,
        bodyTimeout: TIMEOUT,
      });
      const text = await body.text();
      shopper.storeCookies([headers['set-cookie'] ?? []].flat());
      const outcome = outcomeOf(call, statusCode, headers['retry-after'] !== undefined);
      const answer = { outcome, status: statusCode, text, server: serverOf(headers) };
      if (outcome !== 'ok') return { ...answer, failure: nameOf(outcome, statusCode, text) };
      return { ...answer, source: call.kind === 'catalogue' ? sourceOf(headers) : undefined };
    } catch (error) {
      const { code, name } = error as NodeJS.ErrnoException;
      return { outcome: 'failed', status: 0, text: '', failure: ERROR_NAMES[code ?? name] ?? code ?? name };
    }
  }

  /** Closes every connection. */
  async close(): Promise<void> {
    await Promise.all([...this.#agents.values()].map((agent) => agent.destroy()));
    this.#agents.clear();
  }

  #agent(address: string): Agent {
    let agent = this.#agents.get(address);
    if (!agent) {
      agent = new Agent({
        localAddress: address,
        connect: { timeout: TIMEOUT },
        keepAliveTimeout: EDGE_KEEP_ALIVE * 1000,
      });
      this.#agents.set(address, agent);
    }
    return agent;
  }
}

/** The edge cache replays the shop's `x-cache` header; only its own hits carry `age`. */
function sourceOf(headers: IncomingHttpHeaders): Source {
  if (headers.age !== undefined) return 'edge';
  return headers['x-cache'] === 'hit' ? 'cache' : 'database';
}

/** `503 overloaded` with the shop's error code; `503 refused` from a page or the balancer; plain `503` if unexpected. */
function nameOf(outcome: Outcome, status: number, text: string): string {
  const [, reason] = /^\{"error":\{"code":"(\w+)"/.exec(text) ?? [];
  if (reason !== undefined) return `${status} ${reason}`;
  return outcome === 'refused' ? `${status} refused` : String(status);
}

/** Ignores the header of cached responses, which names the server that filled the cache. */
function serverOf(headers: IncomingHttpHeaders): string | undefined {
  return headers.age === undefined ? headers[SERVED_BY]?.toString() : undefined;
}

function outcomeOf(call: Call, status: number, retryAfter: boolean): Outcome {
  if ((status >= 200 && status < 400) || call.expected?.includes(status)) return 'ok';
  if (status < 500) return 'wrong';
  return status === 503 && retryAfter ? 'refused' : 'failed';
}
