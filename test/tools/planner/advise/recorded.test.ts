import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AdviseOptions, adviseCommand } from '../../../../tools/planner/commands/advise-command';
import { UsageError } from '../../../../tools/support/usage-error';

const dir = mkdtempSync(join(tmpdir(), 'advise-'));
const file = join(dir, 'metrics.csv');
const printed = jest.spyOn(console, 'log').mockImplementation();

afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
  printed.mockRestore();
});

async function ask(lines: readonly string[], more: Partial<AdviseOptions> = {}) {
  writeFileSync(file, ['time,metric,value', ...lines].join('\n'));
  printed.mockClear();
  await adviseCommand({ stack: 'shop', days: 14, period: 300, phase: 3, from: file, json: true, ...more });
  return JSON.parse(printed.mock.calls.join('\n'));
}

/** A value at each noon of ten days. */
const noons = (metric: string, value: (day: number) => number) =>
  Array.from({ length: 10 }, (_, day) => `2026-03-${String(day + 1).padStart(2, '0')}T12:00Z,${metric},${value(day)}`);

test('recorded metrics name the wall', async () => {
  const advice = await ask([...noons('servers.cpu', (day) => 40 + 3 * day), ...noons('database.cpu', () => 20)]);
  expect(advice).toMatchObject({
    verdict: 'prepare',
    wall: { wall: 'servers.cpu', remedy: { phase: 4 }, fullOn: { expected: '2026-03-16' } },
    window: { start: '2026-03-01T12:00:00.000Z', end: '2026-03-11T12:00:00.000Z', period: 86400 },
  });
  expect(advice.unknown).toContain('memory of the servers (servers): no data');
});

test('lines may come in any order', async () => {
  const lines = noons('servers.cpu', (day) => 40 + 3 * day);
  expect(await ask([...lines].reverse())).toEqual(await ask(lines));
});

test('a load that falls leads nowhere, memory that falls does', async () => {
  expect(await ask(noons('servers.cpu', (day) => 70 - 3 * day))).toMatchObject({ verdict: 'stay', wall: null });
  const free = noons('database.memory', (day) => (5 - 0.2 * day) * 1024 ** 3);
  expect(await ask(free, { databaseClass: 'db.m7g.large' })).toMatchObject({
    verdict: 'prepare',
    // 8 GiB of RAM, a quarter of it is full; 3.2 GiB are left on the last day, 0.2 fewer each day.
    wall: {
      wall: 'database.memory',
      full: { side: 'below', value: 2 * 1024 ** 3 },
      fullOn: { expected: '2026-03-17' },
    },
  });
});

test('several of a kind are told apart by their names', async () => {
  const advice = await ask([...noons('replicas.cpu@one', () => 20), ...noons('replicas.cpu@two', () => 95)]);
  expect(advice).toMatchObject({ verdict: 'act', wall: { wall: 'replicas.cpu', resource: 'two' } });
});

test('a limit is recorded, or comes from the size of the machine', async () => {
  const size = [...noons('servers.size', () => 12), ...noons('servers.size.limit', () => 12)];
  expect(await ask(size, { phase: 4 })).toMatchObject({ verdict: 'act', wall: { wall: 'servers.size' } });
  const connections = noons('database.connections', () => 850);
  expect((await ask(connections)).unknown).toContain('connections of the database (database): its limit is not known');
  // 8 GiB / 9531392 are 901, nine tenths of it are 810.
  expect(await ask(connections, { databaseClass: 'db.m7g.large' })).toMatchObject({
    verdict: 'act',
    wall: { wall: 'database.connections', full: { value: 810 } },
  });
});

test('what was published last week says nothing about today', async () => {
  const old = noons('servers.cpu', () => 95).slice(0, 5);
  const { verdict, wall, unknown } = await ask([...old, ...noons('servers.memory', () => 20)]);
  expect({ verdict, wall }).toEqual({ verdict: 'stay', wall: null });
  expect(unknown).toContain('CPU of the servers (servers): no data');
});

test('of several that are full, what was so longer comes first, and of equals what others wait for', async () => {
  const hours = (metric: string, busy: number) =>
    Array.from({ length: 24 }, (_, hour) => `${hour * 3600},${metric},${hour < busy ? 95 : 20}`);
  const longer = await ask([...hours('database.cpu', 4), ...hours('servers.cpu', 20)]);
  expect(longer.wall.wall).toBe('servers.cpu');
  const equal = await ask([...hours('servers.cpu', 20), ...hours('database.cpu', 20)]);
  expect(equal.wall.wall).toBe('database.cpu');
});

test('the usual distance of points is their period, whatever is missing between some', async () => {
  const times = [0, 300, 600, 900, 7200, 7500, 86_000];
  const { window } = await ask(times.map((at) => `${at},servers.cpu,20`));
  expect(window).toMatchObject({ period: 300, end: new Date(86_300_000).toISOString() });
});

test('how long answers take is held to an objective, and without one that is said', async () => {
  const lines = [...noons('balancer.latency', () => 0.4), ...noons('balancer.unhealthy', () => 0)];
  const said =
    'time that the app takes to answer, p99 (balancer): what is slow is yours to say: --latency-objective <ms>';
  expect(await ask(lines)).toMatchObject({ verdict: 'stay', symptoms: [], unknown: [], notJudged: [said] });
  expect(await ask(lines, { latencyObjective: 400 })).toMatchObject({ verdict: 'stay', symptoms: [], notJudged: [] });
  expect(await ask(lines, { latencyObjective: 399 })).toMatchObject({
    verdict: 'stay',
    symptoms: [{ wall: 'balancer.latency', lastDay: 0.4, full: { value: 0.399, source: '--latency-objective' } }],
    notJudged: [],
  });
});

test('an objective that nothing can be held to is said to be without effect', async () => {
  const box = noons('box.cpu', () => 20);
  expect((await ask(box, { phase: 1, latencyObjective: 500 })).notJudged).toEqual([
    '--latency-objective 500: the time of answers is measured by the balancer, and there is none in phases 1 and 2',
  ]);
  expect(
    (
      await ask(
        noons('balancer.unhealthy', () => 0),
        { latencyObjective: 500 },
      )
    ).notJudged,
  ).toEqual(['--latency-objective 500: the time of answers is measured by the balancer, and has published none']);
  expect((await ask(box, { phase: 1 })).notJudged).toEqual([]);
});

test.each<[string, string | undefined, string, number]>([
  ['of two vCPUs is judged by its CPU, at 90% of one of them', 'cache.t4g.small', 'cache.cpu', 45],
  ['of four by its engine', 'cache.m7g.xlarge', 'cache.engine', 90],
  ['of a size that is not known by its engine as well', undefined, 'cache.engine', 90],
])('a cache node %s', async (_, cacheType, wall, full) => {
  const other = wall === 'cache.cpu' ? 'cache.engine' : 'cache.cpu';
  const levels = (busy: number) => [...noons(wall, () => busy), ...noons(other, () => 99)];
  expect(await ask(levels(full + 1), { cacheType })).toMatchObject({
    verdict: 'act',
    wall: { wall, full: { value: full } },
  });
  expect(await ask(levels(full), { cacheType })).toMatchObject({ verdict: 'stay' });
  const { unknown } = await ask(
    noons('cache.memory', () => 10),
    { cacheType },
  );
  expect(unknown.filter((line: string) => /^(CPU|engine)/.test(line))).toHaveLength(1);
});

test.each([
  ['servers.credits', 12],
  ['database.credits', 12],
  ['database.burst', 15],
  ['volume.burst@vol-1', 15],
])(
  '%s: credits that are spent are a wall, and machines and disks without any are not asked for them',
  async (metric, level) => {
    const [tier = '', wall] = [metric.split('.')[0], metric.split('@')[0]];
    expect(await ask(noons(metric, () => level))).toMatchObject({ verdict: 'act', wall: { wall, remedy: {} } });
    expect((await ask(noons(metric, () => 90))).verdict).toBe('stay');
    const { unknown } = await ask([...noons('servers.cpu', () => 20), ...noons('database.cpu', () => 20)]);
    expect(unknown.filter((line: string) => line.startsWith(tier) && /credits|burst/.test(line))).toEqual([]);
  },
);

test.each<[string, readonly string[], Partial<AdviseOptions>]>([
  ['--phase: a file of metrics does not tell it; allowed is 1, 2, 3, 4, 5', [], { phase: undefined }],
  ['it has no lines below its head time,metric,value', [], {}],
  ['time "noon" in line 2 of', ['noon,servers.cpu,1'], {}],
  ['metric "servers.heat" in line 2 of', ['0,servers.heat,1'], {}],
  ['value "many" in line 3 of', ['0,servers.cpu,1', '60,servers.cpu,many'], {}],
  ['not CSV: Invalid Record Length', ['0,servers.cpu,1,2'], {}],
  ['--database-class db.huge: its size is not known', ['0,servers.cpu,1'], { databaseClass: 'db.huge' }],
  ['--from nowhere.csv: there is no such file; allowed is CSV with time,metric,value', [], { from: 'nowhere.csv' }],
])('bad input is told: %s', async (message, lines, more) => {
  const refused = ask(lines, more);
  await expect(refused).rejects.toThrow(message);
  await expect(refused).rejects.toBeInstanceOf(UsageError);
});
