import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client } from '../../../../tools/rehearsal/traffic/client';
import { Figures } from '../../../../tools/rehearsal/traffic/figures';
import { RECENT_SECONDS } from '../../../../tools/rehearsal/traffic/messages';
import { isLate, isSlow, isStrained, lateShare } from '../../../../tools/rehearsal/traffic/punctuality';
import { Shopper } from '../../../../tools/rehearsal/traffic/shopper';

const answered = (figures: Figures, server: string | undefined, ms: number) =>
  figures.answered('page', { outcome: 'ok', status: 200, text: '', server }, ms);

test('latency percentiles per server cover a sliding window', () => {
  const figures = new Figures();
  for (let count = 0; count < 98; count++) answered(figures, '8001', 10);
  const [first] = [figures.takeSecond().servers];
  expect(first['8001']?.p99).toBeCloseTo(10, 1);
  // In a later second: the two slowest of 100.
  for (const ms of [300, 400]) answered(figures, '8001', ms);
  answered(figures, '8002', 3);
  answered(figures, undefined, 9_000);
  const { servers } = figures.takeSecond();
  expect(Object.keys(servers)).toEqual(['8001', '8002']);
  expect(servers['8001']?.p50).toBeCloseTo(10, 1);
  expect(Math.round(servers['8001']?.p99 ?? 0)).toBe(300);
  expect(servers['8002']?.p99).toBeCloseTo(3, 1);

  for (let second = 2; second < RECENT_SECONDS; second++) figures.takeSecond();
  // The first second has left the window: the median of the two slow responses is the faster one.
  expect(Math.round(figures.takeSecond().servers['8001']?.p50 ?? 0)).toBe(300);
  expect(figures.takeSecond().servers).toEqual({});
});

describe('a late generator', () => {
  const one = { at: 1, due: 10, lateMs: 1, busy: 0.5, idle: 0.5 };

  test('differs from a slow generator and a strained machine by its thresholds', () => {
    const seconds = [
      one,
      { ...one, lateMs: 51 },
      { ...one, busy: 0.96 },
      { ...one, idle: 0.02 },
      { ...one, lateMs: 251 },
    ];
    expect(seconds.map(isLate)).toEqual([false, false, false, false, true]);
    expect(seconds.map(isSlow)).toEqual([false, true, true, false, true]);
    expect(seconds.map(isStrained)).toEqual([false, true, true, true, true]);
  });

  test('has a share of the time with traffic, weighted by the duration of each second', () => {
    const late = { ...one, lateMs: 300 };
    expect(lateShare([])).toBe(0);
    expect(lateShare([one, { ...one, at: 2 }])).toBe(0);
    // One sample, 3 s after the previous one.
    expect(lateShare([one, { ...late, at: 4 }])).toBe(0.75);
    // No request was due.
    expect(lateShare([one, { ...late, at: 4, due: 0 }])).toBe(0);
  });

  test('counts in seconds, including unsent requests', async () => {
    const figures = new Figures();
    figures.sent(1, 1, false);
    figures.takeSecond();
    figures.unsent(400);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const second = figures.takeSecond();
    expect(second.lateMs).toBeCloseTo(400, 0);
    expect(figures.summary({ came: 0, cameBack: 0, moved: 0 }).lateSeconds).toBeGreaterThan(0.25);
  });
});

describe('the server of a response', () => {
  let server: Server;
  let headers: Record<string, string>;

  beforeAll(async () => {
    server = createServer((_, response) => response.writeHead(200, headers).end());
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  });

  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  test.each([
    ['is named by the balancer', { 'x-served-by': '8001' }, '8001'],
    ['is undefined for a cached response', { 'x-served-by': '8001', age: '3' }, undefined],
    ['is undefined without a balancer', {}, undefined],
  ])('%s', async (_, given, expected) => {
    headers = given;
    const client = new Client(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const sent = await client.send(new Shopper('127.0.0.1'), { kind: 'catalogue', method: 'GET', path: '/' });
    expect(sent).toMatchObject({ outcome: 'ok' });
    expect(sent.server).toBe(expected);
  });
});
