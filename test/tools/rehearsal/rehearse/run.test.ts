import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Run } from '../../../../tools/rehearsal/rehearse/rehearsal';
import type { Action, Scenario } from '../../../../tools/rehearsal/rehearse/scenario';
import { judge } from '../../../../tools/rehearsal/rehearse/verdict';
import type { Fault } from '../../../../tools/rehearsal/topology/fault';
import type { Snapshot } from '../../../../tools/rehearsal/topology/snapshot';
import type { Topology } from '../../../../tools/rehearsal/topology/topology';
import type { RehearsedPhase } from '../../../../tools/rehearsal/topology/topology-plan';
import type { Traffic } from '../../../../tools/rehearsal/traffic/traffic';
import { findings, second, servers, snapshot, traffic } from '../../../support/findings';

/** A rehearsal's course over a topology and visitors that are played. */
const WAITS = { serves: 0.3, answersWithin: 2, atRest: 0.3, overtime: 2 };

/** Seconds of the played traffic; each of its own seconds takes a tenth of one. */
const SECONDS = 1;
const TICK = 100;

interface Play {
  readonly scenario: Partial<Scenario>;
  /** Does what a fault does. */
  readonly inject?: (fault: Fault, topology: Played) => Promise<void>;
  readonly ticks?: Parameters<typeof second>[1];
  readonly waits?: typeof WAITS;
}

interface Played {
  phase: RehearsedPhase;
  now: Snapshot;
  /** Requests that each server gets in a tick. */
  gets: number;
}

async function play({ scenario, inject = async () => {}, ticks = {}, waits = WAITS }: Play) {
  const played: Played = { phase: scenario.phase ?? 3, now: snapshot(), gets: 10 };
  const events: Topology['events'] = new EventEmitter();
  const topology = {
    get phase() {
      return played.phase;
    },
    events,
    confined: true,
    notes: [],
    snapshot: async () => played.now,
    inject: async (fault: Fault) => inject(fault, played),
    stop: async () => {},
  } as unknown as Topology;
  const told: string[] = [];
  let over: (summary: Awaited<Traffic['ended']>) => void = () => {};
  const visitors = new EventEmitter() as Traffic['events'];
  const startedAt = Date.now();
  let held = false;
  let ended = false;
  const now = () => (Date.now() - startedAt) / 1000;
  const fake = {
    startedAt,
    events: visitors,
    ended: new Promise((resolve) => (over = resolve)),
    hold: () => (held = true),
    end: () => (ended = true),
    scale: () => {},
    audit: async () => findings().audit,
    stop: async () => {},
  } as unknown as Traffic;
  const full: Scenario = {
    ...findings().scenario,
    load: { ...findings().scenario.load, seconds: SECONDS },
    ...scenario,
  };
  const run = new Run(full, topology, fake, played.now, played.now, undefined, waits);
  const heldAtOnce = held;
  run.events.on('event', ({ what }) => told.push(what));
  while (!ended && (held || now() < SECONDS)) {
    await sleep(TICK);
    played.now = {
      ...played.now,
      servers: played.now.servers.map((one) => ({ ...one, requests: one.requests + played.gets })),
    };
    // A tenth of a second counts as one, or it would be left out as the rest of one.
    visitors.emit('second', second(now() * 10, ticks));
  }
  const lasted = now();
  over(traffic());
  return { found: await run.finished, lasted, told, held, heldAtOnce };
}

const nextPhase = { kind: 'next-phase' } as const;
const evolution = (...at: number[]): Partial<Scenario> => ({
  phase: 2,
  until: (2 + at.length) as RehearsedPhase,
  steps: at.map((second) => ({ at: second, action: { ...nextPhase } })),
});

/** Fresh servers, which start to count at 0. */
function become(topology: Played): void {
  topology.phase = (topology.phase + 1) as RehearsedPhase;
  topology.now = {
    ...snapshot(),
    servers: servers().map((one) => ({ ...one, name: `${one.name}-of-${topology.phase}`, requests: 0 })),
  };
}

test('each phase serves before the next one is made, and the traffic waits for the last', async () => {
  const switches: number[] = [];
  const began = Date.now();
  const { found, lasted } = await play({
    scenario: evolution(0.1, 0.2),
    inject: async (_, topology) => {
      switches.push(Date.now() - began);
      // The making alone takes longer than the traffic was to take.
      await sleep(SECONDS * 1000);
      become(topology);
    },
  });
  expect(switches).toHaveLength(2);
  expect((switches[1] as number) - (switches[0] as number)).toBeGreaterThanOrEqual(
    SECONDS * 1000 + WAITS.serves * 1000 - 50,
  );
  expect(lasted).toBeGreaterThan(2 * SECONDS + 2 * WAITS.serves);
  expect(found.served?.map(({ phase, answered }) => [phase, answered > 0])).toEqual([
    [3, true],
    [4, true],
  ]);
  expect(
    judge({ ...found, edge: { lookups: 100, hits: 50 } }).goals.filter(({ name }) => /exercised/.test(name)),
  ).toMatchObject([{ met: true }, { met: true }]);
}, 30_000);

test('a phase that serves and answers nothing is given up, and is a missed target', async () => {
  const { found } = await play({
    scenario: evolution(0.1),
    inject: async (_, topology) => {
      become(topology);
      topology.gets = 0;
    },
  });
  expect(found.served).toEqual([{ phase: 3, answered: 0 }]);
  expect(judge(found)).toMatchObject({
    verdict: 'missed',
    reason: expect.stringContaining('phase 3 was not exercised'),
  });
}, 30_000);

test('a phase that cannot be started leaves the others unmade, and the run still counts what was lost', async () => {
  let made = 0;
  const { found, told } = await play({
    scenario: evolution(0.1, 0.2),
    inject: async () => {
      made += 1;
      throw new Error('pgbouncer: not answering\nits log');
    },
  });
  expect(made).toBe(1);
  expect(told).toContain('phase 3 did not start: pgbouncer: not answering');
  expect(found.audit.orders.acknowledged).toBe(20);
  expect(judge(found).goals.filter(({ name }) => name.endsWith('was not exercised'))).toHaveLength(2);
}, 30_000);

const kill: Action = { kind: 'kill-servers', count: 1 };

test('traffic continues until the topology is at rest again, and no longer than the bound', async () => {
  const away = (seconds: number) =>
    play({
      scenario: { steps: [{ at: 0.5, action: kill }] },
      inject: async (_, topology) => {
        const [first, ...rest] = topology.now.servers;
        topology.now = { ...topology.now, servers: rest };
        setTimeout(() => {
          topology.now = {
            ...topology.now,
            servers: [...topology.now.servers, { ...(first as (typeof rest)[number]), name: 'server-6' }],
          };
        }, seconds * 1000).unref();
      },
    });
  // Also for a step so close to the end that it may come too late to hold it.
  expect((await away(0.1)).heldAtOnce).toBe(true);
  const [later, never] = await Promise.all([away(1.2), away(60)]);
  expect(later.lasted).toBeGreaterThan(0.5 + 1.2 + WAITS.atRest - 0.1);
  expect(never.lasted).toBeGreaterThanOrEqual(SECONDS + WAITS.overtime);
}, 30_000);

test('without a step, traffic ends when its time is over', async () => {
  const { found, held } = await play({ scenario: {} });
  expect(held).toBe(false);
  expect(found.served).toBeUndefined();
}, 30_000);

test('a late generator is said while it happens, once, and the end of a fault is not waited for', async () => {
  const { told, lasted } = await play({
    scenario: { steps: [{ at: 0.5, action: kill }] },
    inject: async (_, topology) => {
      topology.now = { ...topology.now, servers: topology.now.servers.slice(1) };
    },
    ticks: { lateMs: 300, busy: 1 },
    waits: { ...WAITS, overtime: 100 },
  });
  expect(told.filter((what) => what.startsWith('the load generator is late'))).toHaveLength(1);
  expect(lasted).toBeLessThan(100);
}, 120_000);

test('what was counted before the traffic is none of the visitors', async () => {
  const { found } = await play({ scenario: {} });
  const ticks = found.seconds.length;
  // The first had got 400 by then, and the others 150 each.
  for (const { requests } of found.servers) expect(Math.abs(requests - ticks * 10)).toBeLessThanOrEqual(20);
}, 30_000);
