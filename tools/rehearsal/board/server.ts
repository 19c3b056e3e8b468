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
   * @default - a free port
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

/** Maximum number of open streams. */
const MAX_STREAMS = 20;

/**
 * Serves the board on loopback: the page at `GET /`, server-sent events at `GET /stream`, and one action per button at
 * `POST /offers/<id>`. Errors are `{error}`, one line.
 *
 * Checks `Host`, `Origin` and a token that only the page has, so that other sites cannot press buttons; see
 * docs/decisions/059-board-runs-only-what-it-offers.md.
 *
 * @throws UsageError if the port is in use
 */
export async function startBoard({ source, port = 0 }: BoardOptions): Promise<Board> {
  const token = randomBytes(24).toString('base64url');
  const streams = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    request.resume();
    handle(request, response).catch((error: Error) => {
      const status = error instanceof HttpError ? error.status : error instanceof UsageError ? 409 : 500;
      if (!response.headersSent) send(response, status, { error: firstLine(error) });
    });
  });

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    checkHost(request, portOf(server.address()));
    const { method = '', url: path = '' } = request;
    const offer = /^\/offers\/([a-z0-9-]+)$/.exec(path)?.[1];
    if (offer !== undefined) {
      if (method !== 'POST') throw new HttpError(405, `${method} ${path}: method must be POST`);
      checkSender(request, token);
      await press(offer);
      return send(response, 200, {});
    }
    if (method !== 'GET') throw new HttpError(405, `${method} ${path}: method must be GET`);
    if (path === '/stream') return stream(response);
    const file = FILES[path as keyof typeof FILES];
    if (file === undefined) throw new HttpError(404, `${path}: not found`);
    const content = readFileSync(join(__dirname, 'page', file[0]), 'utf8');
    response.writeHead(200, { 'content-type': file[1] }).end(path === '/' ? render(content, source, token) : content);
  };

  const running = new Set<string>();
  const press = async (id: string): Promise<void> => {
    const offer = source.offers().find((one) => one.id === id);
    if (offer === undefined) throw new HttpError(404, `${id}: no such action`);
    if (offer.unavailable !== undefined) throw new HttpError(409, `${offer.label}: ${offer.unavailable}`);
    if (running.has(id)) throw new HttpError(409, `${id}: already in progress`);
    running.add(id);
    try {
      await offer.run();
    } finally {
      running.delete(id);
    }
  };

  const stream = (response: ServerResponse): void => {
    if (streams.size >= MAX_STREAMS) throw new HttpError(503, `/stream: limit of ${MAX_STREAMS} open pages reached`);
    streams.add(response);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    // After a reconnect, the page starts over with all kept messages.
    response.write('retry: 1000\nevent: begin\ndata: {}\n\n');
    const unwatch = source.watch((message) => response.write(`data: ${JSON.stringify(message)}\n\n`));
    response.on('close', () => {
      streams.delete(response);
      unwatch();
    });
  };

  server.listen(port, '127.0.0.1');
  await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    throw new UsageError(
      `--board-port must be a free port, got ${port}. Stop the program that uses it, or pass another port from 1024 to 65535.`,
    );
  });
  return {
    url: `http://127.0.0.1:${portOf(server.address())}`,
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

class HttpError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** Protects against DNS rebinding: other names can resolve to loopback. */
function checkHost({ headers }: IncomingMessage, port: number): void {
  const { host = '' } = headers;
  if (host !== `127.0.0.1:${port}` && host !== `localhost:${port}`) {
    throw new HttpError(403, `Host must be 127.0.0.1:${port} or localhost:${port}, got "${host}".`);
  }
}

function checkSender({ headers }: IncomingMessage, token: string): void {
  const { origin = '', host } = headers;
  if (origin !== `http://${host}`) throw new HttpError(403, `Origin must be http://${host}, got "${origin}".`);
  const given = Buffer.from(String(headers['x-board-token'] ?? ''));
  const expected = Buffer.from(token);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw new HttpError(403, 'X-Board-Token must be the token of this board. Reload the page.');
  }
}

function render(page: string, { title, shop }: BoardSource, token: string): string {
  const values: Record<string, string> = { title, shop, token };
  return page.replace(/\{\{(\w+)\}\}/g, (_, name: string) =>
    String(values[name]).replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`),
  );
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function portOf(address: string | AddressInfo | null): number {
  return (address as AddressInfo).port;
}
