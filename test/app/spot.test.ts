import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Bench, eventually, notReady, serverEnv } from '../support/shop';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.open();
});

afterAll(() => bench?.close());

/** Answers as EC2's instance metadata service does to one instance. */
class Metadata {
  noticed = false;
  recommended = false;

  readonly #server = createServer((request, response) => {
    const token = request.headers['x-aws-ec2-metadata-token'];
    if (request.method === 'PUT' && request.headers['x-aws-ec2-metadata-token-ttl-seconds'])
      return response.end('token');
    if (token !== 'token') return response.writeHead(401).end();
    const there =
      (this.noticed && request.url === '/latest/meta-data/spot/instance-action') ||
      (this.recommended && request.url === '/latest/meta-data/events/recommendations/rebalance');
    response.writeHead(there ? 200 : 404).end(there ? '{"action":"terminate","time":"2030-01-01T00:00:00Z"}' : '');
  });

  /** The environment of a server that asks it. */
  async open(): Promise<Record<string, string>> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    const { port } = this.#server.address() as AddressInfo;
    return { PHASE: '4', AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://127.0.0.1:${port}` };
  }

  close(): void {
    this.#server.close();
  }
}

describe('the notice of a spot instance', () => {
  // Side by side, as they wait most of the time.
  test.concurrent.each(['1', '2'])('makes a server leave as SIGTERM does, with %s processes', async (processes) => {
    const metadata = new Metadata();
    metadata.recommended = true;
    try {
      const env = { ...(await metadata.open()), WEB_CONCURRENCY: processes };
      const shop = await bench.serve(await bench.database(), env);
      await eventually(() => shop.log().includes('at risk of being taken back'));
      expect((await fetch(`${shop.url}/readyz`)).status).toBe(200);
      metadata.noticed = true;
      await eventually(async () => (await fetch(`${shop.url}/readyz`)).status === 503);
      // The balancer has not seen that yet.
      expect((await fetch(`${shop.url}/api/products`)).status).toBe(200);
      expect(await shop.exited).toBe(0);
    } finally {
      metadata.close();
    }
  });

  test.concurrent('keeps a server that is started after it from calling itself ready', async () => {
    const metadata = new Metadata();
    metadata.noticed = true;
    try {
      const env = serverEnv(await bench.database(), await metadata.open());
      const reason = /EC2 takes this instance back: not starting/;
      await notReady(bench.bundle, join(bench.dir, 'noticed.log'), env, reason);
    } finally {
      metadata.close();
    }
  });
});
