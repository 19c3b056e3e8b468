import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { findCpuQuotas } from '../../../../tools/rehearsal/programs/cpu-quota';
import { processTree } from '../../../../tools/rehearsal/programs/process-tree';
import type { Snapshot } from '../../../../tools/rehearsal/topology/snapshot';
import { startTopology } from '../../../../tools/rehearsal/topology/topology';
import type { TopologyPlan } from '../../../../tools/rehearsal/topology/topology-plan';
import { describeWith } from '../../../support/needs';
import { eventually, isAlive, sql, Visitor } from '../../../support/shop';

const ROOT = resolve(__dirname, '../../../..');

let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'shop-topology-'));
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Processes whose command line names the folder. */
function over(folder: string): string[] {
  const lines = execFileSync('ps', ['-A', '-o', 'args='], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => line.includes(folder) && !line.startsWith('ps '));
}

/** Starts a topology in a child process, which prints its URL and answers each message with a snapshot. */
function startElsewhere(plan: TopologyPlan, env: NodeJS.ProcessEnv = process.env): ChildProcess {
  const script = `require('./tools/rehearsal/topology/topology').startTopology(${JSON.stringify(plan)})
    .then((topology) => {
      process.on('message', async () => process.send(await topology.snapshot()));
      console.log(topology.url);
    })
    .catch((error) => { console.log(error.message); process.exit(2); })`;
  const args = ['--import', 'tsx', '-e', script];
  return spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
}

async function snapshotOf(child: ChildProcess): Promise<Snapshot> {
  child.send('snapshot');
  const [snapshot] = await once(child, 'message');
  return snapshot as Snapshot;
}

async function firstLine(child: ChildProcess): Promise<string> {
  const [line] = await once((child.stdout as NodeJS.ReadableStream).setEncoding('utf8'), 'data');
  return line.trim();
}

test('a missing program is reported with the command that installs it', async () => {
  const place = join(dir, 'missing');
  expect(await firstLine(startElsewhere({ phase: 3, dir: place }, { PATH: dir }))).toBe(
    'phase 3 needs missing programs: redis-server, haproxy. ' +
      'Run: apt-get install redis-server && apt-get install haproxy',
  );
  expect(existsSync(place)).toBe(false);
});

test('killing the instance of phase 1 kills its database too, and faults of later phases are rejected', async () => {
  const topology = await startTopology({ phase: 1, dir: join(dir, 'one') });
  try {
    const visitor = new Visitor(topology.url);
    await visitor.signUp();
    await visitor.add(1);
    expect((await visitor.order('before')).status).toBe(201);
    await expect(topology.inject({ kind: 'kill-redis', seconds: 1 })).rejects.toThrow(
      'kill-redis: phase 1 has no Redis; available from phase 3.',
    );
    expect(await topology.inject({ kind: 'kill-servers', count: 1 })).toBe('killed the instance and its database');
    await expect(visitor.get('/healthz')).rejects.toThrow();
    await expect(sql(topology.databaseUrl, 'SELECT 1')).rejects.toThrow();
    await expect(topology.inject({ kind: 'kill-servers', count: 1 })).rejects.toThrow('1 servers: only 0 in service.');
  } finally {
    await topology.stop();
  }
  expect(over(join(dir, 'one'))).toEqual([]);
});

function sum({ queries }: Snapshot): number {
  return queries.replicas.reduce((total, one) => total + one, 0);
}

describeWith('redis-server', 'phases with Redis', () => {
  describeWith('haproxy', 'and a balancer', () => {
    test('a failed start leaves no process behind', async () => {
      const place = join(dir, 'failing');
      const topology = startTopology({
        phase: 3,
        dir: place,
        servers: 1,
        // A file where Redis needs a folder.
        onProgress: (line) => line.startsWith('starting database') && writeFileSync(join(place, 'redis-2'), ''),
      });
      await expect(topology).rejects.toThrow('redis-2');
      expect(over(place)).toEqual([]);
      expect(existsSync(join(place, 'primary', 'data', 'postmaster.pid'))).toBe(false);
    });

    describeWith('pgbouncer', 'and a pooler', () => {
      describeWith('moto server', 'and a queue', () => {
        let runner: ChildProcess;
        let url: string;

        beforeAll(async () => {
          runner = startElsewhere({ phase: 4, dir: join(dir, 'four'), servers: 2, vcpu: 0.5, replicas: 1 });
          url = await firstLine(runner);
        }, 120_000);

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
        }, 60_000);

        test('a visitor without writes reads from a replica, which counts the statement', async () => {
          const before = await snapshotOf(runner);
          await eventually(async () => {
            await fetch(`${url}/api/products?q=${Math.random()}`);
            return sum(await snapshotOf(runner)) - sum(before) > 0;
          });
        }, 60_000);

        test('kill -9 of the parent leaves no process and no control group', async () => {
          const processes = processTree(runner.pid as number);
          expect(processes.length).toBeGreaterThan(9);
          runner.kill('SIGKILL');
          await eventually(() => over(join(dir, 'four')).length === 0);
          await eventually(() => processes.every((pid) => !isAlive(pid)));
          const quota = findCpuQuotas()?.create('here', 1);
          const left = quota?.dir.replace(String(process.pid), String(runner.pid)).replace('here', 'server-1');
          await eventually(() => left === undefined || !existsSync(left));
          await quota?.stop();
        }, 60_000);
      });
    });
  });
});
