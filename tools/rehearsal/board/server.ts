import { randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { UsageError } from '../../support/usage-error';
import { firstLine } from '../programs/parts';
import type { BoardSource } from './state';

export interface BoardOptions {
  readonly source: BoardSource;

  /**
   * TCP port on loopback.
   *
   * @default - a free one
   */
  readonly port?: number | undefined;
}

export interface Board {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** Closes the page's connections and the port. Safe to call twice. */
  close(): Promise<void>;
}

const FILES = {
  '/': ['board.html', 'text/html; charset=utf-8'],
  '/board.css': ['board.css', 'text/css; charset=utf-8'],
  '/board.js': ['board.js', 'text/javascript; charset=utf-8'],
  '/charts.js': ['charts.js', 'text/javascript; charset=utf-8'],
  '/drawing.js': ['drawing.js', 'text/javascript; charset=utf-8'],
  '/lines.js': ['lines.js', 'text/javascript; charset=utf-8'],
} as const;

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
};

/** Pages that look at once at most. */
const MAX_STREAMS = 20;

/**
 * Serves the board on loopback: `GET /` the page, `GET /stream` what the source tells as server-sent events, and
 * `POST /offers/<id>` for a button. Errors are `{error}`, one line.
 *
 * A page elsewhere must not press buttons: the host has to be this one's, the origin the board's own, and the request has to
 * carry a token that only the page has. See docs/decisions/059-the-board-does-what-it-offers.md.
 *
 * @throws UsageError when the port is taken
 */
export async function startBoard({ source, port = 0 }: BoardOptions): Promise<Board> {
  const token = randomBytes(24).toString('base64url');
  const streams = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    request.resume();
    answer(request, response).catch((error: Error) => {
      const status = error instanceof Refusal ? error.status : error instanceof UsageError ? 409 : 500;
      if (!response.headersSent) send(response, status, { error: firstLine(error) });
    });
  });

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    checkHost(request, bound(server.address()));
    const { method = '', url: path = '' } = request;
    const offer = /^\/offers\/([a-z0-9-]+)$/.exec(path)?.[1];
    if (offer !== undefined) {
      if (method !== 'POST') throw new Refusal(405, `${method} ${path}: only POST`);
      checkSender(request, token);
      await press(offer);
      return send(response, 200, {});
    }
    if (method !== 'GET') throw new Refusal(405, `${method} ${path}: only GET`);
    if (path === '/stream') return stream(response);
    const file = FILES[path as keyof typeof FILES];
    if (file === undefined) throw new Refusal(404, `${path}: not here`);
    const content = readFileSync(join(__dirname, 'page', file[0]), 'utf8');
    response.writeHead(200, { 'content-type': file[1] }).end(path === '/' ? filled(content, source, token) : content);
  };

  const pressed = new Set<string>();
  const press = async (id: string): Promise<void> => {
    const offer = source.offers().find((one) => one.id === id);
    if (offer === undefined) throw new Refusal(404, `${id}: not offered`);
    if (offer.unavailable !== undefined) throw new Refusal(409, `${offer.label}: ${offer.unavailable}`);
    if (pressed.has(id)) throw new Refusal(409, `${id}: is being done already`);
    pressed.add(id);
    try {
      await offer.run();
    } finally {
      pressed.delete(id);
    }
  };

  const stream = (response: ServerResponse): void => {
    if (streams.size >= MAX_STREAMS) throw new Refusal(503, `/stream: ${MAX_STREAMS} pages are open already`);
    streams.add(response);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    // Where the page is opened again after its connection broke, it is told everything anew.
    response.write('retry: 1000\nevent: begin\ndata: {}\n\n');
    const unwatch = source.watch((told) => response.write(`data: ${JSON.stringify(told)}\n\n`));
    response.on('close', () => {
      streams.delete(response);
      unwatch();
    });
  };

  server.listen(port, '127.0.0.1');
  await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    throw new UsageError(`--board-port ${port}: in use; stop what listens there, or give another from 1024 to 65535`);
  });
  return {
    url: `http://127.0.0.1:${bound(server.address())}`,
    close: async () => {
      await source.stop();
      for (const response of streams) response.end();
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
    },
  };
}

class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** A name that somebody makes lead to loopback is not one of ours. */
function checkHost({ headers }: IncomingMessage, port: number): void {
  const { host = '' } = headers;
  if (host !== `127.0.0.1:${port}` && host !== `localhost:${port}`) {
    throw new Refusal(403, `Host "${host}": only 127.0.0.1:${port} or localhost:${port}`);
  }
}

function checkSender({ headers }: IncomingMessage, token: string): void {
  const { origin = '', host } = headers;
  if (origin !== `http://${host}`) throw new Refusal(403, `Origin "${origin}": only the board's own, http://${host}`);
  const given = Buffer.from(String(headers['x-board-token'] ?? ''));
  const wanted = Buffer.from(token);
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
    throw new Refusal(403, 'X-Board-Token: not that of this board; load the page again');
  }
}

function filled(page: string, { title, shop }: BoardSource, token: string): string {
  const values: Record<string, string> = { title, shop, token };
  return page.replace(/\{\{(\w+)\}\}/g, (_, name: string) =>
    String(values[name]).replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`),
  );
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function bound(address: string | AddressInfo | null): number {
  return (address as AddressInfo).port;
}
