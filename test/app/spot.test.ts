import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { startShop } from '../../lib/rehearsal/shop-process';
import { Bench, eventually, serverEnv } from '../support/shop';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.open();
});

afterAll(() => bench?.close());

describe('the notice of a spot instance', () => {
  let noticed = false;
  let recommended = false;
  // Answers as EC2's instance metadata service does.
  const metadata = createServer((request, response) => {
    const token = request.headers['x-aws-ec2-metadata-token'];
    if (request.method === 'PUT' && request.headers['x-aws-ec2-metadata-token-ttl-seconds'])
      return response.end('token');
    if (token !== 'token') return response.writeHead(401).end();
    const there =
      (noticed && request.url === '/latest/meta-data/spot/instance-action') ||
      (recommended && request.url === '/latest/meta-data/events/recommendations/rebalance');
    response.writeHead(there ? 200 : 404).end(there ? '{"action":"terminate","time":"2030-01-01T00:00:00Z"}' : '');
  });
  const env = () => ({
    PHASE: '4',
    AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://127.0.0.1:${(metadata.address() as AddressInfo).port}`,
  });

  beforeAll(async () => {
    await once(metadata.listen(0, '127.0.0.1'), 'listening');
  });

  afterAll(() => metadata.close());

  test.each(['1', '2'])('makes a server leave as SIGTERM does, with %s processes', async (processes) => {
    noticed = false;
    recommended = true;
    const shop = await bench.serve(await bench.database(), { ...env(), WEB_CONCURRENCY: processes });
    await eventually(() => shop.log().includes('at risk of being taken back'));
    expect((await fetch(`${shop.url}/readyz`)).status).toBe(200);
    noticed = true;
    await eventually(async () => (await fetch(`${shop.url}/readyz`)).status === 503);
    // The balancer has not seen that yet.
    expect((await fetch(`${shop.url}/api/products`)).status).toBe(200);
    expect(await shop.exited).toBe(0);
  });

  test('keeps a server that is started after it from calling itself ready', async () => {
    noticed = true;
    const start = startShop({
      bundle: bench.bundle,
      log: join(bench.dir, 'noticed.log'),
      env: serverEnv(await bench.database(), env()),
      readyWithin: 4_000,
    });
    await expect(start).rejects.toThrow('EC2 takes this instance back: not starting');
  });
});
