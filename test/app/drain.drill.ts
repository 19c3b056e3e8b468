import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import autocannon from 'autocannon';
import { APP_DRAIN, READINESS_GRACE } from '../../lib/constants';
import { startHaproxy } from '../../tools/rehearsal/programs/haproxy';
import { describeWith } from '../support/needs';
import { eventually, TestBed } from '../support/shop';

describeWith('haproxy', 'behind a load balancer', () => {
  let testBed: TestBed;

  beforeAll(async () => {
    testBed = await TestBed.open();
  });

  afterAll(() => testBed?.close());

  test('draining one of three servers under up to 300 requests/s on keep-alive connections fails no request', async () => {
    const database = await testBed.database();
    const env = { PHASE: '3', TRUST_PROXY: '1', LOG_LEVEL: 'warn' };
    const servers = await Promise.all([1, 2, 3].map(() => testBed.serve(database, env)));
    const ports = servers.map(({ process }) => process.port);
    const balancer = await startHaproxy({ dir: join(testBed.dir, 'haproxy'), servers: ports });
    const [draining] = servers;
    try {
      const requests = [
        { path: '/api/products' },
        { path: '/' },
        {
          method: 'POST',
          path: '/api/cart/items',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ productId: 1, quantity: 1 }),
        },
        { path: '/api/cart' },
      ] as const;
      const target = { url: balancer.url, connections: 20, timeout: 10, requests: [...requests] };
      // A slow machine gets a third of what it can do.
      const { requests: peak } = await autocannon({ ...target, duration: 4 });
      const rate = Math.min(300, Math.floor(peak.average / 3));
      const seconds = READINESS_GRACE + 10;
      const load = autocannon({ ...target, overallRate: rate, duration: seconds });
      await sleep(3_000);
      const signaledAt = Date.now();
      draining?.kill('SIGTERM');
      expect(await draining?.exited).toBe(0);
      const took = (Date.now() - signaledAt) / 1000;
      const { errors, timeouts, non2xx, mismatches, '2xx': good } = await load;
      expect({ errors, timeouts, non2xx, mismatches }).toEqual({ errors: 0, timeouts: 0, non2xx: 0, mismatches: 0 });
      // The load was real, and continued after the server exited.
      expect(good).toBeGreaterThan((rate / 2) * seconds);
      expect(took).toBeGreaterThanOrEqual(READINESS_GRACE);
      expect(took).toBeLessThan(READINESS_GRACE + APP_DRAIN);
      await eventually(async () => (await fetch(`${balancer.url}/readyz`)).ok);
    } finally {
      await balancer.stop();
    }
  });
});
