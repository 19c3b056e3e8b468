import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTopology } from '../../../../tools/rehearsal/topology/topology';
import { commandLinesContaining } from '../../../support/command';
import { describeWith } from '../../../support/needs';
import { sql, Visitor } from '../../../support/shop';
import { firstLine, startInChildProcess } from '../../../support/topology';

let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'shop-topology-'));
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

test('a program that is missing is named, with the command that installs it', async () => {
  const place = join(dir, 'missing');
  expect(await firstLine(startInChildProcess({ phase: 3, dir: place }, { PATH: dir }))).toBe(
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
  expect(commandLinesContaining(join(dir, 'one'))).toEqual([]);
});

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
      expect(commandLinesContaining(place)).toEqual([]);
      expect(existsSync(join(place, 'primary', 'data', 'postmaster.pid'))).toBe(false);
    });
  });
});
