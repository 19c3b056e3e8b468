import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findCpuQuotas } from '../../../../tools/rehearsal/programs/cpu-quota';
import { processTree } from '../../../../tools/rehearsal/programs/process-tree';
import type { Snapshot } from '../../../../tools/rehearsal/topology/snapshot';
import { commandLinesContaining } from '../../../support/command';
import { describeWith } from '../../../support/needs';
import { eventually, isAlive, Visitor } from '../../../support/shop';
import { firstLine, startInChildProcess } from '../../../support/topology';

let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'shop-topology-'));
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function snapshotOf(child: ChildProcess): Promise<Snapshot> {
  child.send('snapshot');
  const [snapshot] = await once(child, 'message');
  return snapshot as Snapshot;
}

function sum({ queries }: Snapshot): number {
  return queries.replicas.reduce((total, one) => total + one, 0);
}

describeWith('redis-server', 'with Redis', () => {
  describeWith('haproxy', 'and a balancer', () => {
    describeWith('pgbouncer', 'and a pooler', () => {
      describeWith('moto server', 'and a queue', () => {
        let runner: ChildProcess;
        let url: string;

        beforeAll(async () => {
          runner = startInChildProcess({ phase: 4, dir: join(dir, 'four'), servers: 2, vcpu: 0.5, replicas: 1 });
          url = await firstLine(runner);
        });

        afterAll(() => {
          if (runner?.exitCode === null) runner.kill('SIGKILL');
        });

        test('phase 4: the edge caches shared responses, the pooler pools transactions, a worker completes the job', async () => {
          const visitor = new Visitor(url);
          const [first, again] = [await visitor.get('/api/products'), await visitor.get('/api/products')];
          expect(first.status).toBe(200);
          // A cached response has an Age header.
          expect([first.headers.has('age'), again.headers.has('age')]).toEqual([false, true]);
          const page = await visitor.get('/');
          expect((await visitor.get('/')).headers.has('age')).toBe(true);
          expect(page.headers.has('age')).toBe(false);

          await visitor.signUp();
          // With a cookie, the page is not shared.
          expect((await visitor.get('/')).headers.has('age')).toBe(false);
          await visitor.add(1);
          const { id } = (await visitor.order('once')).json;
          await eventually(async () => (await visitor.get(`/api/orders/${id}`)).json.status === 'fulfilled');

          const { edge, connections, queries, workers, jobs } = await snapshotOf(runner);
          expect(edge?.hits).toBe(2);
          expect(connections.pooler).toBeGreaterThan(0);
          // Account, cart and order.
          expect(queries.writes).toBeGreaterThan(3);
          expect(workers).toMatchObject([{ state: 'in-service', zone: 'a' }]);
          expect(jobs).toBe(0);
        });

        test('a visitor without writes reads from a replica, which counts the statement', async () => {
          const before = await snapshotOf(runner);
          await eventually(async () => {
            await fetch(`${url}/api/products?q=${Math.random()}`);
            return sum(await snapshotOf(runner)) - sum(before) > 0;
          });
        });

        test('kill -9 of the parent leaves no process and no control group', async () => {
          const processes = processTree(runner.pid as number);
          expect(processes.length).toBeGreaterThan(9);
          runner.kill('SIGKILL');
          await eventually(() => commandLinesContaining(join(dir, 'four')).length === 0);
          await eventually(() => processes.every((pid) => !isAlive(pid)));
          const quota = findCpuQuotas()?.create('here', 1);
          const left = quota?.dir.replace(String(process.pid), String(runner.pid)).replace('here', 'server-1');
          await eventually(() => left === undefined || !existsSync(left));
          await quota?.stop();
        });
      });
    });
  });
});
