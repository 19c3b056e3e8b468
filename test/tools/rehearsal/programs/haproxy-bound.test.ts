import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startHaproxy } from '../../../../tools/rehearsal/programs/haproxy';
import { describeWith } from '../../../support/needs';
import { eventually } from '../../../support/shop';

describeWith('haproxy', 'HAProxy with maxInFlight', () => {
  test('passes that many requests, queues as many, and refuses the rest at once', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'haproxy-test-'));
    const held: ServerResponse[] = [];
    const server = createServer((request, response) => {
      if (request.url === '/readyz') response.end();
      else held.push(response);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const servers = [(server.address() as AddressInfo).port];
    const haproxy = await startHaproxy({ dir, servers, maxInFlight: 2, healthInterval: 60 });
    try {
      const statuses: number[] = [];
      const retryAfter = new Set<string | null>();
      const asked = Array.from({ length: 10 }, async () => {
        const answer = await fetch(`${haproxy.url}/cart`);
        statuses.push(answer.status);
        if (answer.status === 503) retryAfter.add(answer.headers.get('retry-after'));
        await answer.arrayBuffer();
      });
      await eventually(() => held.length === 2 && statuses.length === 6);
      expect(statuses).toEqual(Array(6).fill(503));
      expect([...retryAfter]).toEqual(['1']);
      // Completing two requests admits two from the queue.
      for (let turn = 0; turn < 2; turn += 1) {
        await eventually(() => held.length === 2);
        for (const response of held.splice(0)) response.end();
      }
      await Promise.all(asked);
      expect(statuses.filter((status) => status === 200)).toHaveLength(4);
    } finally {
      await haproxy.stop();
      server.closeAllConnections();
      server.close();
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
