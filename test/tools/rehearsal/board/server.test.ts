import { request } from 'node:http';
import { Feed } from '../../../../tools/rehearsal/board/feed';
import { type Board, startBoard } from '../../../../tools/rehearsal/board/server';
import type { BoardSource, BoardState, BoardMessage } from '../../../../tools/rehearsal/board/state';
import { UsageError } from '../../../../tools/support/usage-error';

let board: Board;
let token: string;
let pressed: string[];
let watchers: number;
let feed: Feed;
let letGo: () => void;

const offer = (id: string, run: () => Promise<unknown>) => ({ of: 'run', label: id, id, run });

function source(): BoardSource {
  return {
    title: 'A <shop> & its "board"',
    shop: 'http://127.0.0.1:8080',
    watch: (tell) => {
      watchers += 1;
      const unwatch = feed.watch(tell);
      return () => {
        watchers -= 1;
        unwatch();
      };
    },
    offers: () => [
      offer('kill-server-1', async () => pressed.push('kill-server-1')),
      offer('refused', async () => {
        throw new UsageError('2 servers: there are 1 in service');
      }),
      offer('broken', async () => {
        throw new Error('the database is not there:\nits log');
      }),
      { ...offer('away', async () => pressed.push('away')), unavailable: 'it is away already' },
      offer('long', () => new Promise<void>((resolve) => (letGo = resolve))),
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

/** As a browser would send it, but with headers that a browser does not let a page set. */
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

test('a button that is offered is pressed by the page of the board', async () => {
  expect(await press('kill-server-1')).toMatchObject({ status: 200, body: '{}' });
  expect(pressed).toEqual(['kill-server-1']);
});

test.each([
  ['of another origin', { origin: 'http://elsewhere.example' }, /^Origin "http:\/\/elsewhere\.example": only/],
  ['of no origin', { origin: '' }, /^Origin "": only the board's own/],
  ['without the token', { 'x-board-token': '' }, /^X-Board-Token: /],
  ['with another token', { 'x-board-token': 'x'.repeat(32) }, /^X-Board-Token: /],
  [
    'under a name that leads here',
    { host: 'elsewhere.example', origin: 'http://elsewhere.example' },
    /^Host "elsewhere/,
  ],
])('a request %s presses no button', async (_, headers, error) => {
  const { status, body } = await press('kill-server-1', headers);
  expect(status).toBe(403);
  expect(JSON.parse(body).error).toMatch(error);
  expect(pressed).toEqual([]);
});

test('the page and its stream are not shown under a name that somebody made lead here', async () => {
  for (const path of ['/', '/stream'])
    expect((await send('GET', path, { host: 'elsewhere.example' })).status).toBe(403);
});

test.each([
  ['what is not offered', 'kill-server-9', 404, 'kill-server-9: not offered'],
  ['what is not available now', 'away', 409, 'away: it is away already'],
  ['what cannot be done now', 'refused', 409, '2 servers: there are 1 in service'],
  ['what goes wrong', 'broken', 500, 'the database is not there:'],
])('%s is answered with one line', async (_, id, status, error) => {
  const answer = await press(id);
  expect(answer.status).toBe(status);
  expect(JSON.parse(answer.body)).toEqual({ error });
  expect(pressed).toEqual([]);
});

test('what is being done is not begun again', async () => {
  const first = press('long');
  while (letGo === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(await press('long')).toMatchObject({ status: 409, body: '{"error":"long: is being done already"}' });
  letGo();
  expect((await first).status).toBe(200);
});

test('the page runs no script but its own files, and nothing else is served', async () => {
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

test('who opens the page later is told what was before, and is forgotten when gone', async () => {
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

test('a port that is taken is named', async () => {
  const port = Number(new URL(board.url).port);
  await expect(startBoard({ source: source(), port })).rejects.toThrow(`--board-port ${port}: in use; `);
});

test('of states and of events only the newest are kept', () => {
  for (let at = 0; at < 130; at++) {
    feed.publish({ kind: 'event', event: { at, what: 'x' } });
    feed.publish({ kind: 'state', state: { at } as BoardState });
  }
  const told: BoardMessage[] = [];
  feed.watch((one) => told.push(one));
  expect(told.filter(({ kind }) => kind === 'event')).toHaveLength(100);
  expect(told.filter(({ kind }) => kind === 'state')).toHaveLength(120);
  expect(told.find(({ kind }) => kind === 'event')).toMatchObject({ event: { at: 30 } });
  expect(told.find(({ kind }) => kind === 'state')).toMatchObject({ state: { at: 10 } });
});
