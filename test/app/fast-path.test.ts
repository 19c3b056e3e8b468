import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import pino from 'pino';
import { createApp } from '../../app/app';
import { CatalogueCache } from '../../app/data/catalogue-cache';
import { Database, type Queryable } from '../../app/data/db';
import { Replicas, WRITE_MEMORY } from '../../app/data/replicas';
import { Unavailable } from '../../app/errors';
import { Assets } from '../../app/http/assets';
import { FastPath } from '../../app/http/fast-path';
import { Lifecycle } from '../../app/http/lifecycle';
import { ReadYourWrites } from '../../app/http/read-your-writes';
import { openSessions } from '../../app/sessions';
import type { AppDeps } from '../../app/shop';
import { SESSION_SECRET, TestBed } from '../support/shop';

const log = pino({ level: 'silent' });
const servers: Server[] = [];
let testBed: TestBed;
let database: Database;
let assets: Assets;

beforeAll(async () => {
  testBed = await TestBed.open();
  const url = await testBed.database();
  await (await testBed.serve(url)).process.stop();
  database = new Database({ connectionString: url }, () => {});
  database.resize(5);
  assets = new Assets(join(testBed.bundle.dir, 'public'), '/assets');
});

// Nothing expires unless a test moves the clock.
beforeEach(() => {
  jest.spyOn(performance, 'now').mockReturnValue(performance.now());
});

afterEach(() => {
  jest.restoreAllMocks();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

afterAll(async () => {
  await database?.close();
  await testBed?.close();
});

function passTime(milliseconds: number): void {
  jest.mocked(performance.now).mockReturnValue(performance.now() + milliseconds);
}

/** A server with a fast path, and the number of requests that each path answered. */
class Answering {
  readonly lifecycle = new Lifecycle();
  readonly counts = { fast: 0, slow: 0 };
  readonly #server: Server;

  constructor(handleBehind: (fastPath: FastPath, lifecycle: Lifecycle) => RequestListener) {
    this.lifecycle.state = 'ready';
    const fastPath = new FastPath(() => {
      this.counts.fast += 1;
    });
    const handle = handleBehind(fastPath, this.lifecycle);
    const slow: RequestListener = (request, response) => {
      this.counts.slow += 1;
      handle(request, response);
    };
    // Like `createServing`.
    this.#server = createServer({ keepAliveTimeout: 65_000 }, this.lifecycle.track(fastPath.before(slow)));
    servers.push(this.#server);
  }

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  /** Resolves to the bytes of the response, without the value of `Date`, and to the path that answered. */
  async send(requestLine: string, ...headers: string[]): Promise<{ text: string; path: 'fast' | 'slow' }> {
    const before = this.counts.fast;
    const text = await this.exchange(requestLine, ...headers);
    return { text, path: this.counts.fast > before ? 'fast' : 'slow' };
  }

  async exchange(requestLine: string, ...headers: string[]): Promise<string> {
    const socket = connect((this.#server.address() as AddressInfo).port, '127.0.0.1');
    socket.setEncoding('latin1');
    socket.write([requestLine, 'Host: shop.example', ...headers, '', ''].join('\r\n'));
    let text = '';
    for await (const chunk of socket) {
      text += chunk;
      const [head, body] = text.split(/\r\n\r\n(.*)/s) as [string, string | undefined];
      if (body === undefined) continue;
      const length = /\r\nContent-Length: (\d+)/i.exec(head)?.[1];
      if (length === undefined) throw new Error(`no Content-Length:\n${head}`);
      if (requestLine.startsWith('HEAD ') || body.length === Number(length)) break;
    }
    return text.replace(/(?<=\r\nDate: ).*/i, '…');
  }
}

function shop(overrides: Partial<AppDeps> & { source?: Queryable } = {}): Promise<Answering> {
  const replicas = new Replicas(database, [], log);
  return new Answering((fastPath, lifecycle) =>
    createApp({
      log,
      database,
      readYourWrites: new ReadYourWrites(replicas, SESSION_SECRET, WRITE_MEMORY),
      sessions: openSessions('memory', { secret: SESSION_SECRET, database, onError: () => {} }),
      assets,
      catalogue: new CatalogueCache(overrides.source ?? database, assets.ofProduct),
      fastPath,
      lifecycle,
      served: { server: 'box-1', az: 'zone-a', phase: 3, sessionStore: 'memory', pid: 1, version: 'test' },
      trustProxy: 1,
      viewerProtocol: 'forwarded',
      onOrder: () => {},
      ...overrides,
    }),
  ).listen();
}

/** Where a response shows whether it is from the cache. */
const SHOWN = /(?:\r\nX-Cache: |>cache )(\w+)/;

const PATHS = ['/', '/products/1', '/api/products', '/api/products?category=kitchen&page=1', '/api/products/1'];

describe('a response of the fast path has the bytes of a response of Express', () => {
  const HTTPS = 'X-Forwarded-Proto: https';

  test.each(
    PATHS.flatMap(
      (path) =>
        [
          { path, how: 'over HTTP', version: '1.1', headers: [], state: 'ready', connection: 'keep-alive' },
          { path, how: 'over HTTPS', version: '1.1', headers: [HTTPS], state: 'ready', connection: 'keep-alive' },
          { path, how: 'while draining', version: '1.1', headers: [], state: 'draining', connection: 'close' },
          {
            path,
            how: 'over HTTPS while draining',
            version: '1.1',
            headers: [HTTPS],
            state: 'draining',
            connection: 'close',
          },
          { path, how: 'over HTTP/1.0', version: '1.0', headers: [], state: 'ready', connection: 'close' },
        ] as const,
    ),
  )('for $path $how', async ({ path, version, headers, state, connection }) => {
    const app = await shop();
    app.lifecycle.state = state;
    const line = `GET ${path} HTTP/${version}`;
    const miss = await app.send(line, ...headers);
    const slow = await app.send(line, ...headers);
    const fast = await app.send(line, ...headers);
    expect([miss.path, slow.path, fast.path]).toEqual(['slow', 'slow', 'fast']);
    expect(fast.text).toBe(slow.text);
    expect(fast.text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(/\r\nConnection: (.*)\r\n/.exec(fast.text)?.[1]).toBe(connection);
    expect(fast.text.includes('\r\nStrict-Transport-Security: ')).toBe(headers.length > 0);
  });

  test('with the headers of the protocol of each request', async () => {
    const app = await shop();
    const overHttp = await warmUp(app, '/');
    const overHttps = await warmUp(app, '/', HTTPS);
    expect(overHttps).not.toBe(overHttp);
    expect(await app.send('GET / HTTP/1.1')).toEqual({ path: 'fast', text: overHttp });
    expect(await app.send('GET / HTTP/1.1', HTTPS)).toEqual({ path: 'fast', text: overHttps });
  });

  test('if the load balancer reports HTTP behind an edge that accepts only HTTPS', async () => {
    const app = await shop({ viewerProtocol: 'https' });
    const text = await warmUp(app, '/', 'X-Forwarded-Proto: http');
    expect(text).toContain('\r\nStrict-Transport-Security: ');
    expect(await app.send('GET / HTTP/1.1', 'X-Forwarded-Proto: http')).toEqual({ path: 'fast', text });
  });
});

/** Sends requests until the fast path has the response. Returns the last one of Express. */
async function warmUp(app: Answering, path: string, ...headers: string[]): Promise<string> {
  await app.send(`GET ${path} HTTP/1.1`, ...headers);
  return (await app.send(`GET ${path} HTTP/1.1`, ...headers)).text;
}

describe('the fast path', () => {
  test.each(PATHS)('neither answers nor keeps a request for %s with a cookie', async (path) => {
    const app = await shop();
    const line = `GET ${path} HTTP/1.1`;
    for (let count = 0; count < 3; count += 1) expect((await app.send(line, 'Cookie: theme=dark')).path).toBe('slow');
    expect((await app.send(line)).path).toBe('slow');
    const kept = await app.send(line);
    for (const cookie of ['theme=dark', 'sid=s%3Anobody.signature', '']) {
      expect((await app.send(line, `Cookie: ${cookie}`)).path).toBe('slow');
    }
    expect(await app.send(line)).toEqual({ path: 'fast', text: kept.text });
  });

  test.each(PATHS)('neither answers nor keeps a HEAD or POST of %s', async (path) => {
    const app = await shop();
    for (let count = 0; count < 3; count += 1) {
      expect((await app.send(`HEAD ${path} HTTP/1.1`)).path).toBe('slow');
      expect((await app.send(`POST ${path} HTTP/1.1`, 'Content-Length: 0')).path).toBe('slow');
    }
    const kept = await app.send(`GET ${path} HTTP/1.1`);
    expect(kept.path).toBe('slow');
    expect((await app.send(`HEAD ${path} HTTP/1.1`)).text).toBe(`${kept.text.split('\r\n\r\n')[0]}\r\n\r\n`);
    const post = await app.send(`POST ${path} HTTP/1.1`, 'Content-Length: 0');
    expect([post.path, post.text.split('\r\n')[0]]).toEqual(['slow', 'HTTP/1.1 404 Not Found']);
    expect(await app.send(`GET ${path} HTTP/1.1`)).toEqual({ path: 'fast', text: kept.text });
  });

  test.each([
    ['/products/9999', 404],
    ['/api/products/9999', 404],
    ['/api/products?page=0', 400],
    ['/?category=cars', 400],
    ['/nothing', 404],
  ])('keeps no error: %s is %i', async (path, status) => {
    const app = await shop();
    for (let count = 0; count < 4; count += 1) {
      const { text, path: answered } = await app.send(`GET ${path} HTTP/1.1`);
      expect([answered, Number(text.split(' ')[1])]).toEqual(['slow', status]);
    }
  });

  test.each(PATHS)('keeps no 503 of %s', async (path) => {
    let isDown = true;
    const source: Queryable = {
      query: (...args) => (isDown ? Promise.reject(new Unavailable()) : database.query(...args)),
    };
    const app = await shop({ source });
    const line = `GET ${path} HTTP/1.1`;
    for (let count = 0; count < 4; count += 1) {
      const { text, path: answered } = await app.send(line);
      expect([answered, text.split(' ')[1]]).toEqual(['slow', '503']);
    }
    isDown = false;
    await warmUp(app, path);
    const { text, path: answered } = await app.send(line);
    expect([answered, text.split(' ')[1]]).toEqual(['fast', '200']);
  });

  test.each(['/', '/products/1', '/api/products'])('does not keep a miss of %s as a hit', async (path) => {
    const app = await shop();
    const shows = async () => {
      const { text, path: answered } = await app.send(`GET ${path} HTTP/1.1`);
      return [answered, SHOWN.exec(text)?.[1]];
    };
    expect([await shows(), await shows(), await shows()]).toEqual([
      ['slow', 'miss'],
      ['slow', 'hit'],
      ['fast', 'hit'],
    ]);
  });
});

describe('a kept response', () => {
  /** Milliseconds for which the responses of {@link numbered} are fresh. */
  const FRESH = 1_000;

  /** Responses with a number, so that an old one differs from a new one. */
  class Numbered {
    readonly answering = new Answering((fastPath) => (request, response) => {
      this.sent += 1;
      const body = Buffer.from(String(this.sent));
      const freshUntil = this.isMiss ? undefined : performance.now() + FRESH;
      this.arrived.then(() => fastPath.send(request, response, body, freshUntil));
    });
    sent = 0;
    isMiss = false;
    arrived: Promise<void> = Promise.resolve();

    /** Holds back the responses to the next requests. Returns a function that sends them. */
    hold(): () => void {
      let release: () => void = () => {};
      this.arrived = new Promise((resolve) => {
        release = resolve;
      });
      return release;
    }

    async get(path = '/'): Promise<string> {
      return (await this.answering.exchange(`GET ${path} HTTP/1.1`)).split('\r\n\r\n')[1] as string;
    }
  }

  let numbered: Numbered;

  beforeEach(async () => {
    numbered = new Numbered();
    await numbered.answering.listen();
    expect([await numbered.get(), await numbered.get()]).toEqual(['1', '1']);
  });

  test('is sent until it expires', async () => {
    passTime(FRESH - 1);
    expect(await numbered.get()).toBe('1');
    passTime(1);
    expect(await numbered.get()).toBe('2');
    expect(await numbered.get()).toBe('2');
  });

  test('is renewed by one of many concurrent requests, and the others get the expired one', async () => {
    passTime(FRESH + 999);
    const renew = numbered.hold();
    const bodies: string[] = [];
    const requests = Array.from({ length: 40 }, async () => bodies.push(await numbered.get()));
    const renewals = () => numbered.sent - 1;
    while (bodies.length + renewals() < 40) await new Promise(setImmediate);
    expect([renewals(), bodies]).toEqual([1, Array(39).fill('1')]);
    renew();
    await Promise.all(requests);
    expect(bodies.at(-1)).toBe('2');
    expect([await numbered.get(), renewals()]).toEqual(['2', 1]);
  });

  test('is not sent a second after it expired, even if it is being renewed', async () => {
    passTime(FRESH);
    const renew = numbered.hold();
    const renewal = numbered.get();
    while (numbered.sent < 2) await new Promise(setImmediate);
    passTime(1_000);
    expect(await numbered.get()).toBe('1');
    numbered.arrived = Promise.resolve();
    passTime(1);
    expect(await numbered.get()).toBe('3');
    expect(await numbered.get()).toBe('3');
    renew();
    expect(await renewal).toBe('2');
  });

  test('is renewed by the next request if a renewal was a miss', async () => {
    passTime(FRESH);
    numbered.isMiss = true;
    expect(await numbered.get()).toBe('2');
    numbered.isMiss = false;
    expect(await numbered.get()).toBe('3');
    expect(await numbered.get()).toBe('3');
  });

  test('is dropped after 500 others', async () => {
    for (let id = 1; id < 500; id += 1) await numbered.get(`/products/${id}`);
    expect([await numbered.get(), numbered.sent]).toEqual(['1', 500]);
    await numbered.get('/products/500');
    expect(await numbered.get()).toBe('502');
    // The renewed one replaced the oldest.
    expect(await numbered.get('/products/2')).toBe('3');
    expect(await numbered.get('/products/1')).toBe('503');
  });

  test('has a URL of at most 300 characters', async () => {
    const longest = `/?q=${'x'.repeat(296)}`;
    expect([await numbered.get(longest), await numbered.get(longest)]).toEqual(['2', '2']);
    expect([await numbered.get(`${longest}x`), await numbered.get(`${longest}x`)]).toEqual(['3', '4']);
  });
});
