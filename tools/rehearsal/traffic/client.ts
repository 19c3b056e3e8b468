import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request } from 'undici';
import { EDGE_KEEP_ALIVE } from '../../../lib/constants';
import { SERVED_BY } from '../programs/haproxy';
import type { Outcome, Source } from './messages';
import type { Answer, Call, Shopper } from './shopper';

/** Milliseconds after which a visitor gives up. */
const PATIENCE = 10_000;

/** What undici calls it, and what it is. */
const NAMES: Readonly<Record<string, string>> = {
  UND_ERR_HEADERS_TIMEOUT: `no answer within ${PATIENCE / 1000} s`,
  UND_ERR_BODY_TIMEOUT: 'an answer that did not end',
  UND_ERR_CONNECT_TIMEOUT: 'no connection',
  UND_ERR_SOCKET: 'cut off',
  ECONNRESET: 'cut off',
};

export interface Sent extends Answer {
  /** What did not succeed, in words: a status with the shop's reason, or what became of the connection. */
  readonly failure?: string;
  /** Of an answer about the catalogue. */
  readonly source?: Source | undefined;
  /** Port of the server that answered, where a balancer tells it. */
  readonly server?: string | undefined;
}

/** Sends visitors' requests as browsers do: over connections that are kept open, each from the visitor's address. */
export class Client {
  readonly #agents = new Map<string, Agent>();

  /** @param url where paths are asked for */
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
        headersTimeout: PATIENCE,
        bodyTimeout: PATIENCE,
      });
      const text = await body.text();
      shopper.keepCookies([headers['set-cookie'] ?? []].flat());
      const outcome = judge(call, statusCode, headers['retry-after'] !== undefined);
      const answer = { outcome, status: statusCode, text, server: serverOf(headers) };
      if (outcome !== 'ok') return { ...answer, failure: nameOf(outcome, statusCode, text) };
      return { ...answer, source: call.kind === 'catalogue' ? sourceOf(headers) : undefined };
    } catch (error) {
      const { code, name } = error as NodeJS.ErrnoException;
      return { outcome: 'failed', status: 0, text: '', failure: NAMES[code ?? name] ?? code ?? name };
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
        connect: { timeout: PATIENCE },
        keepAliveTimeout: EDGE_KEEP_ALIVE * 1000,
      });
      this.#agents.set(address, agent);
    }
    return agent;
  }
}

/** A cache between shop and visitor repeats the shop's own header, and adds the answer's age. */
function sourceOf(headers: IncomingHttpHeaders): Source {
  if (headers.age !== undefined) return 'edge';
  return headers['x-cache'] === 'hit' ? 'cache' : 'database';
}

/** With the shop's own reason, such as `503 overloaded`; `503 refused` by a page or the balancer; `503` is nobody's plan. */
function nameOf(outcome: Outcome, status: number, text: string): string {
  const [, reason] = /^\{"error":\{"code":"(\w+)"/.exec(text) ?? [];
  if (reason !== undefined) return `${status} ${reason}`;
  return outcome === 'refused' ? `${status} refused` : String(status);
}

/** What a cache holds still names the server that it came from. */
function serverOf(headers: IncomingHttpHeaders): string | undefined {
  return headers.age === undefined ? headers[SERVED_BY]?.toString() : undefined;
}

function judge(call: Call, status: number, comeBackLater: boolean): Outcome {
  if ((status >= 200 && status < 400) || call.also?.includes(status)) return 'ok';
  if (status < 500) return 'wrong';
  return status === 503 && comeBackLater ? 'refused' : 'failed';
}
