import type { Scenario } from '../../../../tools/rehearsal/rehearse/scenario';
import { facts, serverTable, spikeTable } from '../../../../tools/rehearsal/report/facts';
import type { ServerSnapshot } from '../../../../tools/rehearsal/topology/snapshot';
import { report, second, servers } from '../../../support/findings';

/** Observations besides targets. */
const of = (scenario: Partial<Scenario>, changes: Parameters<typeof report>[0] = {}) =>
  report({ scenario: { ...report().scenario, ...scenario }, ...changes });
const each = (count: number, changes: (at: number) => Parameters<typeof second>[1]) =>
  Array.from({ length: count }, (_, index) => second(index + 1, changes(index + 1)));

test('caches, SQL statements, connections and load distribution are reported', () => {
  expect(facts(of({}))).toEqual([
    'Catalogue: 95% of 600 responses came from a cache (edge 0, server cache 570, database 30).',
    'Database: 10 writes/s (including locking reads) and 20 reads/s on the primary, 20 reads/s on replicas (50% of reads); 0 read-your-writes violations.',
    'Peak connections: 12 to the primary database (limit 200).',
    'Requests per server (roundrobin): mean 600, range 600 to 600; the busiest got 1.00x the mean.',
  ]);
});

test('phase 4 reports edge and pooler, layer 4 reports connections, a single server has no distribution', () => {
  const seconds = each(30, (at) => ({ connections: { primary: 7, limit: 200, pooler: at } }));
  const lines = facts(of({ phase: 4, layer: 4 }, { seconds, edge: { lookups: 80, hits: 60 } }));
  expect(lines).toContainEqual(expect.stringMatching(/^Edge: 75% of 80 cache lookups/));
  expect(lines).toContain(
    'Peak connections: 30 from servers and workers to the pooler, 7 to the primary database (limit 200).',
  );
  expect(lines).toContainEqual(expect.stringMatching(/^Connections per server \(roundrobin\): mean 600/));
  const alone = facts(of({ phase: 1, servers: 1 }, { servers: servers().slice(0, 1) }));
  expect(alone).toContain('Database: 10 writes/s (including locking reads) and 20 reads/s on the primary.');
  expect(alone.join()).not.toContain('per server');
});

test('a ramp reports the load up to which latency stayed low, and ignores a single slow second', () => {
  const slow = { p50: 9, p95: 90, p99: 251, max: 900 };
  const ramp = (isSlow: (at: number) => boolean) => {
    const seconds = each(40, (at) => ({ due: at * 10, inTime: at * 9, ...(isSlow(at) && { latency: slow }) }));
    return facts(of({ load: { profile: 'ramp', rps: 400, seconds: 40, factor: 1 } }, { seconds }))[0];
  };
  const quick = 'Ramp: 99% of requests succeeded within 250 ms';
  expect(ramp((at) => at === 20 || at > 30)).toBe(
    `${quick} up to 310 requests/s; peak goodput was 360 responses/s within 1 s.`,
  );
  expect(ramp((at) => at === 20)).toBe(`${quick} throughout; peak goodput was 360 responses/s within 1 s.`);
});

test('a server has its share of requests, or none without a balancer', () => {
  const [first, second] = servers() as [ServerSnapshot, ServerSnapshot];
  const box = { ...first, name: 'box', counted: false, requests: 0 };
  expect(serverTable(of({}, { servers: [box, first, { ...second, requests: 200, failures: 3 }] })).rows).toEqual([
    ['box', 'a', 'in-service', '-', '-', '-', '3.0'],
    ['server-1', 'a', 'in-service', '600', '75%', '0', '3.0'],
    ['server-2', 'b', 'in-service', '200', '25%', '3', '3.0'],
  ]);
});

test('a spike has three rows: before it, at its peak, after it', () => {
  const seconds = each(100, (at) => {
    const peak = at > 26 && at <= 56;
    return {
      due: peak ? 500 : 100,
      reloads: peak ? 50 : 0,
      inTime: peak ? 80 : 100,
      counts: peak ? { ok: 200, refused: 250, failed: 20, wrong: 0 } : { ok: 100, refused: 0, failed: 0, wrong: 0 },
      inService: peak ? 3 : 5,
    };
  });
  const load = { profile: 'spike', rps: 100, seconds: 100, factor: 5 } as const;
  expect(spikeTable(of({ load }, { seconds }))?.rows).toEqual([
    ['before', '100', '0', '100', '0', '0', '0', '2.0', '9.0', '5'],
    ['at the peak', '500', '50', '80', '120', '250', '20', '2.0', '9.0', '3'],
    ['after', '100', '0', '100', '0', '0', '0', '2.0', '9.0', '5'],
  ]);
  expect(spikeTable(of({}))).toBeUndefined();
});
