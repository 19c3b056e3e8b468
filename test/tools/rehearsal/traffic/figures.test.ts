import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client } from '../../../../tools/rehearsal/traffic/client';
import { Figures } from '../../../../tools/rehearsal/traffic/figures';
import { RECENT } from '../../../../tools/rehearsal/traffic/messages';
import { Shopper } from '../../../../tools/rehearsal/traffic/shopper';

const answered = (figures: Figures, server: string | undefined, ms: number) =>
  figures.answered('page', { outcome: 'ok', status: 200, text: '', server }, ms);

test('a server has the percentiles of its own answers, for as long as they are recent', () => {
  const figures = new Figures();
  for (let count = 0; count < 98; count++) answered(figures, '8001', 10);
  const [first] = [figures.takeSecond().servers];
  expect(first['8001']?.p99).toBeCloseTo(10, 1);
  // In a later second, and the two slowest of a hundred.
  for (const ms of [300, 400]) answered(figures, '8001', ms);
  answered(figures, '8002', 3);
  answered(figures, undefined, 9_000);
  const { servers } = figures.takeSecond();
  expect(Object.keys(servers)).toEqual(['8001', '8002']);
  expect(servers['8001']?.p50).toBeCloseTo(10, 1);
  expect(Math.round(servers['8001']?.p99 ?? 0)).toBe(300);
  expect(servers['8002']?.p99).toBeCloseTo(3, 1);

  for (let second = 2; second < RECENT; second++) figures.takeSecond();
  // The first second has left: of the two slow ones, the median is the faster.
  expect(Math.round(figures.takeSecond().servers['8001']?.p50 ?? 0)).toBe(300);
  expect(figures.takeSecond().servers).toEqual({});
});

describe('which server answered', () => {
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
    ['is what the balancer says', { 'x-served-by': '8001' }, '8001'],
    ['is nobody where a cache held the answer', { 'x-served-by': '8001', age: '3' }, undefined],
    ['is not known without a balancer', {}, undefined],
  ])('%s', async (_, given, expected) => {
    headers = given;
    const client = new Client(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const sent = await client.send(new Shopper('127.0.0.1'), { kind: 'catalogue', method: 'GET', path: '/' });
    expect(sent).toMatchObject({ outcome: 'ok' });
    expect(sent.server).toBe(expected);
  });
});
