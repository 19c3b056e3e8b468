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

/** Runs a rehearsal with a fake topology and fake traffic. */
const WAITS = { minServing: 0.3, firstResponse: 2, settled: 0.3, overtime: 2 };

/** Duration of the fake traffic in seconds; each of its seconds takes 100 ms. */
const SECONDS = 1;
const TICK = 100;

interface Play {
  readonly scenario: Partial<Scenario>;
  /** Applies a fault to the fake topology. */
  readonly inject?: (fault: Fault, topology: Played) => Promise<void>;
  readonly ticks?: Parameters<typeof second>[1];
  readonly waits?: typeof WAITS;
}

interface Played {
  phase: RehearsedPhase;
  now: Snapshot;
  /** Requests per server and tick. */
  requestsPerTick: number;
}

async function play({ scenario, inject = async () => {}, ticks = {}, waits = WAITS }: Play) {
  const played: Played = { phase: scenario.phase ?? 3, now: snapshot(), requestsPerTick: 10 };
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
  const messages: string[] = [];
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
  run.events.on('event', ({ what }) => messages.push(what));
  while (!ended && (held || now() < SECONDS)) {
    await sleep(TICK);
    played.now = {
      ...played.now,
      servers: played.now.servers.map((one) => ({ ...one, requests: one.requests + played.requestsPerTick })),
    };
    // Each tick counts as a full second; a shorter one would be dropped as a remainder.
    visitors.emit('second', second(now() * 10, ticks));
  }
  const lasted = now();
  over(traffic());
  return { found: await run.finished, lasted, messages, held, heldAtOnce };
}

const nextPhase = { kind: 'next-phase' } as const;
const evolution = (...at: number[]): Partial<Scenario> => ({
  phase: 2,
  until: (2 + at.length) as RehearsedPhase,
  steps: at.map((second) => ({ at: second, action: { ...nextPhase } })),
});

/** Moves to the next phase with new servers, whose counters start at 0. */
function become(topology: Played): void {
  topology.phase = (topology.phase + 1) as RehearsedPhase;
  topology.now = {
    ...snapshot(),
    servers: servers().map((one) => ({ ...one, name: `${one.name}-of-${topology.phase}`, requests: 0 })),
  };
}

test('each phase serves before the next transition, and the traffic outlasts the last', async () => {
  const switches: number[] = [];
  const began = Date.now();
  const { found, lasted } = await play({
    scenario: evolution(0.1, 0.2),
    inject: async (_, topology) => {
      switches.push(Date.now() - began);
      // The transition takes longer than the planned traffic.
      await sleep(SECONDS * 1000);
      become(topology);
    },
  });
  expect(switches).toHaveLength(2);
  expect((switches[1] as number) - (switches[0] as number)).toBeGreaterThanOrEqual(
    SECONDS * 1000 + WAITS.minServing * 1000 - 50,
  );
  expect(lasted).toBeGreaterThan(2 * SECONDS + 2 * WAITS.minServing);
  expect(found.served?.map(({ phase, answered }) => [phase, answered > 0])).toEqual([
    [3, true],
    [4, true],
  ]);
  expect(
    judge({ ...found, edge: { lookups: 100, hits: 50 } }).goals.filter(({ name }) => /exercised/.test(name)),
  ).toMatchObject([{ met: true }, { met: true }]);
}, 30_000);

test('a phase that serves no request times out and misses a target', async () => {
  const { found } = await play({
    scenario: evolution(0.1),
    inject: async (_, topology) => {
      become(topology);
      topology.requestsPerTick = 0;
    },
  });
  expect(found.served).toEqual([{ phase: 3, answered: 0 }]);
  expect(judge(found)).toMatchObject({
    verdict: 'missed',
    reason: expect.stringContaining('phase 3 was not exercised'),
  });
}, 30_000);

test('a phase that fails to start ends the evolution, and the data is still verified', async () => {
  let transitions = 0;
  const { found, messages } = await play({
    scenario: evolution(0.1, 0.2),
    inject: async () => {
      transitions += 1;
      throw new Error('pgbouncer: not answering\nits log');
    },
  });
  expect(transitions).toBe(1);
  expect(messages).toContain('phase 3 did not start: pgbouncer: not answering');
  expect(found.audit.orders.acknowledged).toBe(20);
  expect(judge(found).goals.filter(({ name }) => name.endsWith('was not exercised'))).toHaveLength(2);
}, 30_000);

const kill: Action = { kind: 'kill-servers', count: 1 };

test('traffic continues until the topology has settled, up to a limit', async () => {
  const down = (seconds: number) =>
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
  // Held from the start: a step close to the end may run too late to hold the traffic.
  expect((await down(0.1)).heldAtOnce).toBe(true);
  const [later, never] = await Promise.all([down(1.2), down(60)]);
  expect(later.lasted).toBeGreaterThan(0.5 + 1.2 + WAITS.settled - 0.1);
  expect(never.lasted).toBeGreaterThanOrEqual(SECONDS + WAITS.overtime);
}, 30_000);

test('without steps, traffic ends after its duration', async () => {
  const { found, held } = await play({ scenario: {} });
  expect(held).toBe(false);
  expect(found.served).toBeUndefined();
}, 30_000);

test('a late generator is reported once, and the run does not wait for recovery', async () => {
  const { messages, lasted } = await play({
    scenario: { steps: [{ at: 0.5, action: kill }] },
    inject: async (_, topology) => {
      topology.now = { ...topology.now, servers: topology.now.servers.slice(1) };
    },
    ticks: { lateMs: 300, busy: 1 },
    waits: { ...WAITS, overtime: 100 },
  });
  expect(messages.filter((what) => what.startsWith('the load generator is late'))).toHaveLength(1);
  expect(lasted).toBeLessThan(100);
}, 120_000);

test('requests before the traffic are not counted', async () => {
  const { found } = await play({ scenario: {} });
  const ticks = found.seconds.length;
  // Before the traffic, the first server had 400 requests and the others 150 each.
  for (const { requests } of found.servers) expect(Math.abs(requests - ticks * 10)).toBeLessThanOrEqual(20);
}, 30_000);
