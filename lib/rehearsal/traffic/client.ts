import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request } from 'undici';
import { EDGE_KEEP_ALIVE } from '../../constants';
import type { Outcome, Source } from './messages';
import type { Answer, Call, Shopper } from './shopper';

/** Milliseconds after which a visitor gives up. */
const PATIENCE = 10_000;

export interface Sent extends Answer {
  /** Status or error code, of what did not succeed. */
  readonly failure?: string;
  /** Of an answer about the catalogue. */
  readonly source?: Source | undefined;
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
      if (outcome === 'refused') return { outcome, status: statusCode, text, failure: `${statusCode} by the shop` };
      if (outcome !== 'ok') return { outcome, status: statusCode, text, failure: String(statusCode) };
      return { outcome, status: statusCode, text, source: call.kind === 'catalogue' ? sourceOf(headers) : undefined };
    } catch (error) {
      const { code, name } = error as NodeJS.ErrnoException;
      return { outcome: 'failed', status: 0, text: '', failure: code ?? name };
    }
  }

  #agent(address: string): Agent {
    let agent = this.#agents.get(address);
    if (!agent) {
      agent = new Agent({
        connect: { localAddress: address, timeout: PATIENCE },
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

function judge(call: Call, status: number, comeBackLater: boolean): Outcome {
  if ((status >= 200 && status < 400) || call.also?.includes(status)) return 'ok';
  if (status < 500) return 'wrong';
  return status === 503 && comeBackLater ? 'refused' : 'failed';
}
