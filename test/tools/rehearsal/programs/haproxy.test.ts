import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Haproxy, SERVED_BY, startHaproxy } from '../../../../tools/rehearsal/programs/haproxy';
import { startHaproxyProcess } from '../../../../tools/rehearsal/programs/haproxy-process';
import { describeWith } from '../../../support/needs';
import { eventually } from '../../../support/shop';

describeWith('haproxy', 'a balancer without healthy servers', () => {
  const dir = mkdtempSync(join(tmpdir(), 'haproxy-test-'));
  const healthy = new Set<number>();
  const servers: Server[] = [];
  let balancer: Haproxy | undefined;

  beforeAll(async () => {
    for (const index of [0, 1]) {
      const server = createServer((request, response) => {
        response.statusCode = request.url === '/readyz' && !healthy.has(index) ? 503 : 200;
        response.end(String(index));
      });
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
      servers.push(server);
    }
  });

  afterAll(async () => {
    await balancer?.stop();
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
    rmSync(dir, { recursive: true, force: true });
  });

  test('fails open like an ALB, and sends requests only to healthy servers once there are any', async () => {
    const started = await startHaproxy({ dir, maxServers: 4, healthInterval: 0.1 });
    balancer = started;
    const ask = async () => (await fetch(started.url)).text();
    const asked = async () => new Set(await Promise.all(Array.from({ length: 10 }, ask)));
    const ports = servers.map((server) => (server.address() as AddressInfo).port);
    for (const port of ports) await started.register(port);
    expect(await asked()).toEqual(new Set(['0', '1']));
    healthy.add(1);
    await eventually(async () => (await asked()).size === 1);
    expect(await asked()).toEqual(new Set(['1']));
    const requests = [...(await started.targets()).values()].map((target) => target.requests);
    expect(Math.min(...requests)).toBeGreaterThan(0);
    expect((await fetch(started.url)).headers.get(SERVED_BY)).toBe(String(ports[1]));
    await started.deregister(ports[1] as number);
    await eventually(async () => (await ask()) === '0');
  });

  test('a registered server receives no requests until it is healthy, and counts from 0 in a reused slot', async () => {
    const started = await startHaproxy({ dir: join(dir, 'slots'), maxServers: 2, healthInterval: 60 });
    try {
      const ask = async (times: number) => {
        const answers = Array.from({ length: times }, async () => (await fetch(started.url)).text());
        return [...new Set(await Promise.all(answers))];
      };
      const [first, other] = servers.map((server) => (server.address() as AddressInfo).port) as [number, number];
      await started.register(first, true);
      await started.register(other);
      expect(await ask(6)).toEqual(['0']);
      expect((await started.targets()).get(first)?.requests).toBe(6);
      await started.deregister(first);
      await started.deregister(other);
      await started.register(other, true);
      expect((await started.targets()).get(other)).toMatchObject({ healthy: true, requests: 0 });
      expect(await ask(4)).toEqual(['1']);
      expect((await started.targets()).get(other)?.requests).toBe(4);
    } finally {
      await started.stop();
    }
  });
});

describeWith('haproxy', 'a balancer that fails to start', () => {
  test('reports a port that is in use', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'haproxy-test-'));
    const other = createServer();
    await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
    const { port } = other.address() as AddressInfo;
    try {
      await expect(
        startHaproxyProcess({ dir, port, configuration: `listen taken\n  bind 127.0.0.1:${port}\n` }),
      ).rejects.toThrow(/Address already in use/);
    } finally {
      other.close();
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
