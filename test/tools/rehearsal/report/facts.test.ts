import type { Scenario } from '../../../../tools/rehearsal/rehearse/scenario';
import { course, facts, perServer } from '../../../../tools/rehearsal/report/facts';
import type { ServerSnapshot } from '../../../../tools/rehearsal/topology/snapshot';
import { report, second, servers } from '../../../support/findings';

/** What is told besides figures that have a goal. */
const of = (scenario: Partial<Scenario>, changes: Parameters<typeof report>[0] = {}) =>
  report({ scenario: { ...report().scenario, ...scenario }, ...changes });
const each = (count: number, changes: (at: number) => Parameters<typeof second>[1]) =>
  Array.from({ length: count }, (_, index) => second(index + 1, changes(index + 1)));

test('where answers, statements and connections went, and how even it was', () => {
  expect(facts(of({}))).toEqual([
    'Catalogue: 95% of 600 answers reached no database (edge 0, cache 570, database 30).',
    "Database: 10 statements/s that write or lock and 20 that read on the primary, 20 that read on replicas (50% of reads); 0 reads showed less than one's own writes.",
    'Connections at the most: 12 to the primary database, which takes 200.',
    'Requests of a server, by roundrobin: 600 on average, from 600 to 600; the busiest had 1.00 times the mean.',
  ]);
});

test('phase 4 tells of its edge and its pooler, layer 4 of connections, and a single server of nothing to spread', () => {
  const seconds = each(30, (at) => ({ connections: { primary: 7, limit: 200, pooler: at } }));
  const lines = facts(of({ phase: 4, layer: 4 }, { seconds, edge: { lookups: 80, hits: 60 } }));
  expect(lines).toContainEqual(expect.stringMatching(/^Edge: 75% of 80 look-ups/));
  expect(lines).toContain(
    'Connections at the most: 30 from servers and workers to the pooler, 7 to the primary database, which takes 200.',
  );
  expect(lines).toContainEqual(expect.stringMatching(/^Connections of a server, by roundrobin: 600 on average/));
  const alone = facts(of({ phase: 1, servers: 1 }, { servers: servers().slice(0, 1) }));
  expect(alone).toContain('Database: 10 statements/s that write or lock and 20 that read on the primary.');
  expect(alone.join()).not.toContain('on average');
});

test('a ramp tells up to which load nobody noticed it, and one slow second is none of load', () => {
  const slow = { p50: 9, p95: 90, p99: 251, max: 900 };
  const ramp = (isSlow: (at: number) => boolean) => {
    const seconds = each(40, (at) => ({ due: at * 10, inTime: at * 9, ...(isSlow(at) && { latency: slow }) }));
    return facts(of({ load: { profile: 'ramp', rps: 400, seconds: 40, factor: 1 } }, { seconds }))[0];
  };
  const quick = 'Ramp: 99 of 100 requests were answered within 250 ms';
  expect(ramp((at) => at === 20 || at > 30)).toBe(
    `${quick} up to 310 requests/s; at most 360 answers/s came within a second.`,
  );
  expect(ramp((at) => at === 20)).toBe(`${quick} to the end; at most 360 answers/s came within a second.`);
});

test('a server is told of with its share, and with none where no balancer counted', () => {
  const [first, second] = servers() as [ServerSnapshot, ServerSnapshot];
  const box = { ...first, name: 'box', counted: false, requests: 0 };
  expect(perServer(of({}, { servers: [box, first, { ...second, requests: 200, failures: 3 }] })).rows).toEqual([
    ['box', 'a', 'in-service', '-', '-', '-', '3.0'],
    ['server-1', 'a', 'in-service', '600', '75%', '0', '3.0'],
    ['server-2', 'b', 'in-service', '200', '25%', '3', '3.0'],
  ]);
});

test('a spike is told in three lines: before it, at its top, after it', () => {
  const seconds = each(100, (at) => {
    const top = at > 26 && at <= 56;
    return {
      due: top ? 500 : 100,
      reloads: top ? 50 : 0,
      inTime: top ? 80 : 100,
      counts: top ? { ok: 200, refused: 250, failed: 20, wrong: 0 } : { ok: 100, refused: 0, failed: 0, wrong: 0 },
      inService: top ? 3 : 5,
    };
  });
  const load = { profile: 'spike', rps: 100, seconds: 100, factor: 5 } as const;
  expect(course(of({ load }, { seconds }))?.rows).toEqual([
    ['before', '100', '0', '100', '0', '0', '0', '2.0', '9.0', '5'],
    ['at the top', '500', '50', '80', '120', '250', '20', '2.0', '9.0', '3'],
    ['after', '100', '0', '100', '0', '0', '0', '2.0', '9.0', '5'],
  ]);
  expect(course(of({}))).toBeUndefined();
});
