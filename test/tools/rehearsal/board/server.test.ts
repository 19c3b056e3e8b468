import { request } from 'node:http';
import { Feed } from '../../../../tools/rehearsal/board/feed';
import { type Board, startBoard } from '../../../../tools/rehearsal/board/server';
import type { BoardMessage, BoardSource, BoardState } from '../../../../tools/rehearsal/board/state';
import { UsageError } from '../../../../tools/support/usage-error';

let board: Board;
let token: string;
let pressed: string[];
let watchers: number;
let feed: Feed;
let finishAction: () => void;

const offer = (id: string, run: () => Promise<unknown>) => ({ of: 'run', label: id, id, run });

function source(): BoardSource {
  return {
    title: 'A <shop> & its "board"',
    shop: 'http://127.0.0.1:8080',
    watch: (onMessage) => {
      watchers += 1;
      const unwatch = feed.watch(onMessage);
      return () => {
        watchers -= 1;
        unwatch();
      };
    },
    offers: () => [
      offer('kill-server-1', async () => pressed.push('kill-server-1')),
      offer('refused', async () => {
        throw new UsageError('--servers must be at most 1, got 2.');
      }),
      offer('broken', async () => {
        throw new Error('database is down:\nits log');
      }),
      { ...offer('down', async () => pressed.push('down')), unavailable: 'already down' },
      offer('long', () => new Promise<void>((resolve) => (finishAction = resolve))),
    ],
    stop: async () => {},
  };
}

beforeEach(async () => {
  pressed = [];
  watchers = 0;
  feed = new Feed();
  board = await startBoard({ source: source() });
  token = /name="board-token" content="([^"]+)"/.exec((await send('GET', '/')).body)?.[1] as string;
});

afterEach(() => board.close());

/** Sends a request with headers that a browser does not let a page set. */
function send(method: string, path: string, headers: Record<string, string> = {}) {
  return new Promise<{ status: number; body: string; headers: NodeJS.Dict<string | string[]> }>((resolve, reject) => {
    const { port } = new URL(board.url);
    const sent = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }));
    });
    sent.once('error', reject).end();
  });
}

const press = (id: string, headers: Record<string, string> = {}) =>
  send('POST', `/offers/${id}`, { origin: board.url, 'x-board-token': token, ...headers });

test('the page can run an offered action', async () => {
  expect(await press('kill-server-1')).toMatchObject({ status: 200, body: '{}' });
  expect(pressed).toEqual(['kill-server-1']);
});

test.each([
  [
    'with another origin',
    { origin: 'http://elsewhere.example' },
    /^Origin must be http:\/\/127\.0\.0\.1:\d+, got "http:\/\/elsewhere\.example"\.$/,
  ],
  ['without an origin', { origin: '' }, /^Origin must be http:\/\/127\.0\.0\.1:\d+, got ""\.$/],
  ['without the token', { 'x-board-token': '' }, /^X-Board-Token must be the token of this board/],
  ['with another token', { 'x-board-token': 'x'.repeat(32) }, /^X-Board-Token must be the token of this board/],
  [
    'to a name that resolves to loopback',
    { host: 'elsewhere.example', origin: 'http://elsewhere.example' },
    /^Host must be 127\.0\.0\.1:\d+ or localhost:\d+, got "elsewhere\.example"\.$/,
  ],
])('a request %s is rejected', async (_, headers, error) => {
  const { status, body } = await press('kill-server-1', headers);
  expect(status).toBe(403);
  expect(JSON.parse(body).error).toMatch(error);
  expect(pressed).toEqual([]);
});

test('page and stream are not served to a name that resolves to loopback', async () => {
  for (const path of ['/', '/stream'])
    expect((await send('GET', path, { host: 'elsewhere.example' })).status).toBe(403);
});

test.each([
  ['an unknown action', 'kill-server-9', 404, 'kill-server-9: no such action'],
  ['an unavailable action', 'down', 409, 'down: already down'],
  ['an action that throws a UsageError', 'refused', 409, '--servers must be at most 1, got 2.'],
  ['an action that fails', 'broken', 500, 'database is down:'],
])('%s gets a one-line error', async (_, id, status, error) => {
  const answer = await press(id);
  expect(answer.status).toBe(status);
  expect(JSON.parse(answer.body)).toEqual({ error });
  expect(pressed).toEqual([]);
});

test('an action in progress is not started twice', async () => {
  const first = press('long');
  while (finishAction === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(await press('long')).toMatchObject({ status: 409, body: '{"error":"long: already in progress"}' });
  finishAction();
  expect((await first).status).toBe(200);
});

test('the page runs only its own scripts, and no other file is served', async () => {
  const page = await send('GET', '/');
  expect(page.headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'");
  expect(page.body).toContain('<h1>A &#60;shop&#62; &#38; its &#34;board&#34;</h1>');
  expect(page.body).not.toMatch(/<script(?! type="module" src)|style=| on\w+=/);
  for (const [, file] of page.body.matchAll(/(?:src|href)="(\/[^"]+)"/g)) {
    expect((await send('GET', file as string)).status).toBe(200);
  }
  expect((await send('GET', '/../server.ts')).status).toBe(404);
  expect((await send('GET', '/offers/kill-server-1')).status).toBe(405);
  expect((await send('PUT', '/')).status).toBe(405);
});

test('a new page gets kept events, and is unsubscribed when it closes', async () => {
  const event = (what: string): BoardMessage => ({ kind: 'event', event: { at: 1, what } });
  feed.publish(event('before'));
  const response = await fetch(`${board.url}/stream`);
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  let text = '';
  const until = async (found: string) => {
    while (!text.includes(found)) text += new TextDecoder().decode((await reader.read()).value);
  };
  await until('"before"');
  feed.publish(event('after'));
  await until('"after"');
  expect(text.indexOf('event: begin')).toBeLessThan(text.indexOf('"before"'));
  expect(watchers).toBe(1);
  await reader.cancel();
  while (watchers > 0) await new Promise((resolve) => setTimeout(resolve, 5));
});

test('a port in use is an error', async () => {
  const port = Number(new URL(board.url).port);
  await expect(startBoard({ source: source(), port })).rejects.toThrow(
    `--board-port must be a free port, got ${port}. Stop the program`,
  );
});

test('only the newest states and events are kept', () => {
  for (let at = 0; at < 130; at++) {
    feed.publish({ kind: 'event', event: { at, what: 'x' } });
    feed.publish({ kind: 'state', state: { at } as BoardState });
  }
  const messages: BoardMessage[] = [];
  feed.watch((one) => messages.push(one));
  expect(messages.filter(({ kind }) => kind === 'event')).toHaveLength(100);
  expect(messages.filter(({ kind }) => kind === 'state')).toHaveLength(120);
  expect(messages.find(({ kind }) => kind === 'event')).toMatchObject({ event: { at: 30 } });
  expect(messages.find(({ kind }) => kind === 'state')).toMatchObject({ state: { at: 10 } });
});
