import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { eventually, expectNotReady, serverEnv, TestBed } from '../support/shop';

let testBed: TestBed;

beforeAll(async () => {
  testBed = await TestBed.open();
});

afterAll(() => testBed?.close());

/** A stub of the EC2 instance metadata service. */
class Metadata {
  noticed = false;
  recommended = false;
  /** Faults of the next responses: a rejected token request, or a response that stalls after its first byte. */
  readonly faults: ('refuse' | 'stall')[] = [];

  readonly #server = createServer((request, response) => {
    const token = request.headers['x-aws-ec2-metadata-token'];
    if (request.method === 'PUT' && request.headers['x-aws-ec2-metadata-token-ttl-seconds'])
      return this.#fails('refuse') ? response.writeHead(403).end() : response.end('token');
    if (token !== 'token') return response.writeHead(401).end();
    if (this.#fails('stall')) return response.writeHead(200).write('{');
    const exists =
      (this.noticed && request.url === '/latest/meta-data/spot/instance-action') ||
      (this.recommended && request.url === '/latest/meta-data/events/recommendations/rebalance');
    response.writeHead(exists ? 200 : 404).end(exists ? '{"action":"terminate","time":"2030-01-01T00:00:00Z"}' : '');
  });

  /** Environment variables that point a server to this stub. */
  async open(): Promise<Record<string, string>> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    const { port } = this.#server.address() as AddressInfo;
    return { PHASE: '4', AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://127.0.0.1:${port}` };
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #fails(fault: 'refuse' | 'stall'): boolean {
    if (this.faults[0] !== fault) return false;
    this.faults.shift();
    return true;
  }
}

describe('the Spot Instance interruption notice', () => {
  // Concurrently, because the tests mostly wait.
  test.concurrent.each(['1', '2'])('drains a server like SIGTERM, with %s processes', async (processes) => {
    const metadata = new Metadata();
    metadata.recommended = true;
    try {
      const env = { ...(await metadata.open()), WEB_CONCURRENCY: processes };
      const shop = await testBed.serve(await testBed.database(), env);
      await eventually(() => shop.log().includes('EC2 rebalance recommendation'));
      expect((await fetch(`${shop.url}/readyz`)).status).toBe(200);
      metadata.noticed = true;
      await eventually(async () => (await fetch(`${shop.url}/readyz`)).status === 503);
      // The load balancer has not noticed yet.
      expect((await fetch(`${shop.url}/api/products`)).status).toBe(200);
      expect(await shop.exited).toBe(0);
    } finally {
      metadata.close();
    }
  });

  test.concurrent('is detected after a rejected token request and a stalled response, which do not delay startup', async () => {
    const metadata = new Metadata();
    // The first fault affects the check before startup.
    metadata.faults.push('refuse', 'refuse', 'stall');
    try {
      const shop = await testBed.serve(await testBed.database(), await metadata.open());
      await eventually(() => metadata.faults.length === 0);
      metadata.noticed = true;
      await eventually(() => shop.log().includes('Spot Instance interruption notice: draining'));
      expect(await shop.exited).toBe(0);
    } finally {
      metadata.close();
    }
  });

  test.concurrent('prevents a server that starts later from becoming ready', async () => {
    const metadata = new Metadata();
    metadata.noticed = true;
    try {
      const env = serverEnv(await testBed.database(), await metadata.open());
      const reason = /Spot Instance interruption notice: not starting/;
      // On a busy machine, the answer can exceed the client's time limit. The server then starts, and drains at the next poll.
      const late = /Spot Instance interruption notice: draining/;
      for (let attempt = 1, inTime = false; !inTime; attempt += 1) {
        inTime = await expectNotReady(testBed.bundle, join(testBed.dir, `noticed-${attempt}.log`), env, reason, late);
      }
    } finally {
      metadata.close();
    }
  });
});
