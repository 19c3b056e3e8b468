import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EdgeCache, startEdgeCache } from '../../../../tools/rehearsal/programs/edge-cache';
import { describeWith } from '../../../support/needs';
import { eventually } from '../../../support/shop';

/** As the shop sends it, with another lifetime. */
const shared = (seconds: number) =>
  `public, max-age=0, s-maxage=${seconds}, stale-while-revalidate=30, stale-if-error=60`;

describeWith('haproxy', 'the stand-in for CloudFront', () => {
  const dir = mkdtempSync(join(tmpdir(), 'edge-'));
  let server: Server;
  let edge: EdgeCache;

  beforeAll(async () => {
    let answers = 0;
    server = createServer((request, response) => {
      answers += 1;
      const seconds = Number(new URL(request.url as string, 'http://shop').searchParams.get('seconds'));
      response.writeHead(200, { 'cache-control': seconds > 0 ? shared(seconds) : 'no-store', vary: 'Cookie' });
      response.end(`answer ${answers} for ${request.headers.cookie}`);
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    edge = await startEdgeCache({ dir, origin: (server.address() as AddressInfo).port });
  });

  afterAll(async () => {
    await edge?.stop();
    server.closeAllConnections();
    server.close();
    rmSync(dir, { recursive: true, force: true });
  });

  async function get(path: string, cookie?: string) {
    const response = await fetch(edge.url + path, cookie === undefined ? {} : { headers: { cookie } });
    return { body: await response.text(), cacheControl: response.headers.get('cache-control') };
  }

  test('caches a response that may be served stale, and passes its Cache-Control on unchanged', async () => {
    const miss = await get('/api/products?seconds=60');
    const hit = await get('/api/products?seconds=60', 'sid=1');
    expect(hit).toEqual(miss);
    expect(miss.cacheControl).toBe(shared(60));
    expect((await edge.counters()).hits).toBe(1);
  });

  test('forwards cookies, except those of the catalog API', async () => {
    const bodies = await Promise.all(['/', '/api/cart', '/api/products'].map((path) => get(path, 'sid=1')));
    expect(bodies.map(({ body }) => body.split(' for ')[1])).toEqual(['sid=1', 'sid=1', 'undefined']);
  });

  test('fetches it again once s-maxage is over', async () => {
    const { body } = await get('/api/products?seconds=1');
    await eventually(async () => (await get('/api/products?seconds=1')).body !== body);
  });

  test.each([
    ['a page of a visitor with a cookie', '/?seconds=60', 'sid=1'],
    ['a path that is not shared', '/api/cart?seconds=60', undefined],
    ['no-store', '/api/products', undefined],
  ])('does not cache %s', async (_case, path, cookie) => {
    const { body } = await get(path, cookie);
    expect((await get(path, cookie)).body).not.toBe(body);
  });
});
