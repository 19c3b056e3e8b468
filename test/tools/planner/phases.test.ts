import fc from 'fast-check';
import { sizes } from '../../../lib/phases/sizes';
import { type AssembledStack, synthesize } from '../../../tools/cloudformation/assembly';
import { billOf } from '../../../tools/planner/cost/bill';
import { freeTypes } from '../../../tools/planner/cost/free';
import { pricers } from '../../../tools/planner/cost/pricers';
import { TRAFFIC_DEFAULTS, type Traffic } from '../../../tools/planner/cost/usage';
import demand from '../../../tools/planner/plan/demand.json';
import { ladder } from '../../../tools/planner/plan/ladder';
import { capacityOf, type PhasePlan, planFor, spotSaving } from '../../../tools/planner/plan/plan';
import { renderPlan } from '../../../tools/planner/plan/render';
import { scaledTemplate } from '../../../tools/planner/plan/scaled-template';
import type { PlanInput } from '../../../tools/planner/plan/workload';
import { readPriceTable } from '../../../tools/planner/prices/table';

jest.mock('../../../tools/cloudformation/assembly', () => require('../../support/shared-synth'));

/** Bills and plans of the project's own phases, as the real `cdk synth` makes them. */
const prices = readPriceTable('us-east-1');
let stacks: ReadonlyMap<string, AssembledStack>;
let scaled: ReadonlyMap<string, AssembledStack>;

const byId = (all: readonly AssembledStack[]) => new Map(all.map((stack) => [stack.id, stack]));
const SCALED = ['size=growth', 'servers=12', 'replicas=4', 'minServers=3', 'maxServers=40'];

beforeAll(async () => {
  stacks = byId(await synthesize());
  scaled = byId(await synthesize({ context: SCALED }));
});

const phases = ['phase-1', 'phase-2', 'phase-3', 'phase-4'];
const defaults = Object.fromEntries(Object.entries(TRAFFIC_DEFAULTS).map(([name, { value }]) => [name, value]));
const traffic = (rps: number, more: Partial<Traffic> = {}) => ({ rps, ...defaults, ...more }) as Traffic;
const input = (rps: number, more: Partial<PlanInput> = {}, shape: Partial<Traffic> = {}): PlanInput => ({
  traffic: traffic(rps, shape),
  cacheHitRatio: 0.8,
  utilization: 0.6,
  survive: 'nothing',
  jobSeconds: 0.05,
  demand,
  ...more,
});
const plan = (...args: Parameters<typeof input>) => planFor(input(...args), stacks, prices);
const stack = (id: string) => stacks.get(id) as AssembledStack;

describe('the bill', () => {
  test.each(phases)('of %s covers at least 95%% of its resources', (id) => {
    const bill = billOf([stack(id)], { prices, traffic: traffic(1000) });
    expect(bill.coverage).toBeGreaterThanOrEqual(95);
    const all = Object.values(bill.counts).reduce((sum, count) => sum + count, 0);
    expect(all).toBe(Object.keys(stack(id).template.Resources).length);
  });

  test('of phase 3 is that of its parts', () => {
    const bill = billOf([stack('phase-3')], { prices });
    const usd = (type: string) => bill.rows.reduce((sum, row) => sum + (row.type === type ? row.usd : 0), 0);
    expect(usd('AWS::EC2::NatGateway')).toBeCloseTo(3 * 32.85, 6);
    expect(usd('AWS::RDS::DBInstance')).toBeCloseTo(0.13 * 730 + 23 + 2 * (0.065 * 730 + 11.5), 6);
    expect(usd('AWS::ElastiCache::ReplicationGroup')).toBeCloseTo(3 * 0.0256 * 730, 6);
    expect(usd('AWS::AutoScaling::AutoScalingGroup')).toBeCloseTo(5 * (0.0336 * 730 + 1.6 + 2.1), 6);
  });

  test('every type that is known here is one of CloudFormation', async () => {
    const { loadAwsServiceSpec } = await import('@aws-cdk/aws-service-spec');
    const spec = await loadAwsServiceSpec();
    const known = new Set(spec.all('resource').map(({ cloudFormationType }) => cloudFormationType));
    const notKnown = [...freeTypes.keys(), ...Object.keys(pricers)].filter((type) => !known.has(type));
    // CloudFormation does not list what only the CDK knows.
    expect(notKnown.filter((type) => type !== 'AWS::CDK::Metadata')).toEqual([]);
    expect(Object.keys(pricers).filter((type) => freeTypes.has(type))).toEqual([]);
  });
});

describe('a template in another size', () => {
  test('the ladder is that of the phases', () => {
    const fromPhases = Object.entries(sizes).map(([name, size]) => ({
      name,
      instanceType: size.instanceType.toString(),
      vcpus: size.vcpus,
      dataGib: size.dataSize.toGibibytes(),
      dataIops: size.dataIops,
      dataThroughput: size.dataThroughput,
    }));
    expect(ladder).toEqual(fromPhases);
  });

  test.each([
    ['phase-1', { box: ladder[1] }, {}],
    ['phase-3', { serverType: 'm7g.xlarge', replicas: 4 }, { Fleet: 12 }],
    ['phase-4', { replicas: 4 }, { ElasticFleet: 3 }],
  ])('%s costs what the same size by -c does, but for its alarms', (id, scale, instances) => {
    const withoutAlarms = (one: AssembledStack) =>
      billOf([one], { prices, traffic: traffic(2000), instances })
        .rows.filter(({ type }) => type !== 'AWS::CloudWatch::Alarm')
        .reduce((sum, { usd }) => sum + usd, 0);
    const byHand = { ...stack(id), template: scaledTemplate(stack(id).template, scale) };
    expect(withoutAlarms(byHand)).toBeCloseTo(withoutAlarms(scaled.get(id) as AssembledStack), 6);
    expect(withoutAlarms(byHand)).not.toBeCloseTo(withoutAlarms(stack(id)), 0);
  });
});

describe('a plan', () => {
  const exponent = fc.double({ min: 1, max: 5, noNaN: true });
  const shapes = fc.record({
    peakToAverage: fc.constantFrom(1, 2, 3, 10),
    edgeHitRatio: fc.constantFrom(0, 0.5, 0.8, 0.95),
    writeRatio: fc.constantFrom(0, 0.05, 0.2),
    responseBytes: fc.constantFrom(500, 4096, 20_000, 200_000),
  });

  const survive = fc.constantFrom('nothing' as const, 'zone' as const);
  const ratio = fc.constantFrom(0.5, 0.8, 0.95);

  test('for more traffic never has a smaller bill, over four orders of magnitude and for any mix', () => {
    fc.assert(
      fc.property(exponent, exponent, survive, ratio, shapes, (one, other, surviving, cacheHitRatio, shape) => {
        const [low, high] = [one, other].toSorted((a, b) => a - b).map((e) => 10 ** e) as [number, number];
        const more = { survive: surviving, cacheHitRatio };
        const [small, big] = [plan(low, more, shape), plan(high, more, shape)];
        for (const [at, bigger] of big.phases.entries()) {
          const smaller = small.phases[at] as PhasePlan;
          if (!bigger.holds) continue;
          // What holds more holds less as well.
          expect(smaller.holds).toBe(true);
          expect(bigger.bill.totalUsd).toBeGreaterThanOrEqual(smaller.bill.totalUsd - 1e-6);
          expect(bigger.serversHoldRps).toBeGreaterThanOrEqual(high * (1 - 1e-9));
        }
        if (!big.chosen) return;
        expect(big.chosen.bill.totalUsd).toBeGreaterThanOrEqual((small.chosen as PhasePlan).bill.totalUsd - 1e-6);
      }),
      { numRuns: 30 },
    );
  });

  test('nor less capacity', () => {
    // More of these are close to each other than far apart: that is where another phase is chosen.
    const growth = fc.oneof(fc.double({ min: 1, max: 1.5, noNaN: true }), fc.double({ min: 1, max: 100, noNaN: true }));
    fc.assert(
      fc.property(exponent, growth, survive, ratio, shapes, (e, factor, surviving, cacheHitRatio, shape) => {
        const capacity = (rps: number) => {
          const made = input(rps, { survive: surviving, cacheHitRatio }, shape);
          const { chosen } = planFor(made, stacks, prices);
          return chosen && capacityOf(chosen, made, stacks, prices);
        };
        const [less, more] = [capacity(10 ** e), capacity(10 ** e * factor)];
        if (more === undefined) return;
        expect(more).toBeGreaterThanOrEqual(10 ** e * factor);
        expect(more).toBeGreaterThanOrEqual((less as number) * (1 - 2e-4));
      }),
      // Each run makes about thirty plans.
      { numRuns: 12 },
    );
  });

  test('stays as it is up to its capacity, and is another one above it', () => {
    const made = input(5000);
    const { chosen } = planFor(made, stacks, prices);
    const capacity = capacityOf(chosen as PhasePlan, made, stacks, prices);
    const context = (rps: number) => plan(rps).chosen?.context;
    expect(context(capacity)).toEqual(chosen?.context);
    expect(context(capacity * 1.0002)).not.toEqual(chosen?.context);
  });

  test('begins on one box, and says what a second one would cost', () => {
    const { chosen } = plan(50);
    expect(chosen).toMatchObject({ phase: 'phase-1', serverType: 't4g.medium', context: ['size=launch'] });
    expect(renderPlan(plan(50), input(50), 100)).toMatch(
      /One machine is one point of failure\. phase-3 loses any zone without an outage, for [\d.]+ more a month\./,
    );
  });

  test('leaves the box where a machine may be lost', () => {
    const { chosen, phases: all } = plan(50, { survive: 'server' });
    expect(chosen).toMatchObject({ phase: 'phase-3', servers: 2 });
    expect(all[0]).toMatchObject({ holds: false, why: 'one machine, and the loss of a server must be survived' });
  });

  test('a zone may be lost: what is left stays below 80%', () => {
    const { phases: all } = plan(40_000, { survive: 'zone' });
    const farm = all[2] as PhasePlan;
    const left = farm.servers - Math.ceil(farm.servers / 3);
    const perServer = farm.serversHoldRps / Math.min(farm.servers * 0.6, left * 0.8);
    expect(perServer * left * 0.8).toBeGreaterThanOrEqual(40_000);
    expect(perServer * (left - 1) * 0.8).toBeLessThan(40_000);
  });

  test('bigger answers are more servers, as soon as it is the network that is full, and never fewer', () => {
    const farm = (responseBytes: number) => plan(40_000, {}, { responseBytes }).phases[2] as PhasePlan;
    const small = farm(4096);
    const big = farm(40_000);
    expect(big.serversHoldRps).toBeGreaterThanOrEqual(40_000);
    expect(big.bill.totalUsd).toBeGreaterThan(small.bill.totalUsd);
    const reason = big.reasons.find(({ what }) => what.startsWith('network: '));
    const [, used = '', has = ''] = /network: ([\d,.]+) of ([\d,.]+) Mbit\/s/.exec(reason?.what ?? '') ?? [];
    const [mbps, most] = [used, has].map((text) => Number(text.replaceAll(',', ''))) as [number, number];
    expect(mbps).toBeLessThanOrEqual(most * 0.61);
    // By CPU alone it would be as many as for small answers.
    const vcpus = ({ servers, serverType }: PhasePlan) => servers * (prices.machine(serverType)?.vcpus ?? 0);
    expect(vcpus(big)).toBeGreaterThan(vcpus(small));
  });

  test('a box with too small a network is left for a bigger one, and the biggest says that it is the network', () => {
    const box = (rps: number, responseBytes: number) => plan(rps, {}, { responseBytes }).phases[1];
    expect(box(500, 4096)).toMatchObject({ holds: true, serverType: 't4g.medium' });
    // 500 x 100,000 bytes are 400 Mbit/s, and t4g.medium has 256.
    expect(box(500, 100_000)).toMatchObject({ holds: true, serverType: 'm7g.xlarge' });
    expect(box(5000, 1e6)).toMatchObject({
      holds: false,
      why: 'the network of the biggest box has 30,000 Mbit/s, of which 60% may be used',
    });
  });

  test('processes that do not fit into the memory take a bigger machine', () => {
    const boxes = (processMib: number) => plan(50, { demand: { ...demand, processMib } }).phases;
    expect(boxes(200)[0]).toMatchObject({ serverType: 't4g.medium' });
    // 2 x 700 MiB and the system are more than what PostgreSQL leaves of 4 GiB, and the machine of the app alone has room.
    expect(boxes(700)[0]).toMatchObject({ serverType: 'm7g.xlarge' });
    expect(boxes(700)[1]).toMatchObject({ serverType: 't4g.medium' });
    expect(boxes(3000)[3]).toMatchObject({ holds: false, why: '6.4 GiB a server, and the smallest type has less' });
  });

  test('what a server has beside CPU has its reasons', () => {
    const { reasons } = plan(5000, { survive: 'zone' }).chosen as PhasePlan;
    expect(reasons.map(({ what }) => what)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^memory: [\d.]+ of [\d.]+ GiB$/),
        expect.stringMatching(/^network: [\d,.]+ of [\d,.]+ Mbit\/s$/),
      ]),
    );
    const unknown = readPriceTable('us-east-1');
    jest.spyOn(unknown, 'machine').mockImplementation((type) => {
      const found = prices.machine(type);
      return found && { ...found, networkMbps: '' };
    });
    const { chosen } = planFor(input(5000, { survive: 'zone' }), stacks, unknown);
    expect(chosen?.reasons).toContainEqual({
      what: 'network is not reckoned',
      how: expect.stringMatching(/^nobody says how much of it \S+ has all the time$/),
    });
  });

  test('fewer hits in the cache are more replicas', () => {
    const replicas = (cacheHitRatio: number) =>
      (plan(40_000, { cacheHitRatio }).phases[2] as PhasePlan).database?.replicas;
    expect(replicas(0.95)).toBe(3);
    expect(replicas(0.5)).toBeGreaterThan(replicas(0.95) as number);
  });

  test('pools of all processes together stay within 80% of the connections of the class', () => {
    for (const rps of [100, 10_000, 100_000]) {
      for (const phase of plan(rps, { survive: 'zone' }).phases) {
        if (!phase.holds || phase.database?.pool === undefined) continue;
        const vcpus = ladder.find(({ instanceType }) => instanceType === phase.serverType)?.vcpus as number;
        const processes = Math.ceil(phase.servers * 1.2) * vcpus;
        expect(processes * phase.database.pool).toBeLessThanOrEqual(0.8 * phase.database.maxConnections);
      }
    }
  });

  test('with contention and coherency takes more servers, and says where more servers carry less', () => {
    const usl = { lambda: 1000, sigma: 0.02, kappa: 0.0005 };
    const servers = (rps: number, law: typeof usl) => (plan(rps, { usl: law }).phases[2] as PhasePlan).servers;
    expect(servers(5000, { ...usl, sigma: 0, kappa: 0 })).toBe(11);
    expect(servers(5000, usl)).toBeGreaterThan(11);
    expect(plan(50_000, { usl }).phases[2]).toMatchObject({
      holds: false,
      why: '44 servers carry the most by the measured law, and they do not carry 50,000 requests/s',
    });
  });

  test('says why no phase holds what no phase holds', () => {
    const { chosen, phases: all } = plan(1e6);
    expect(chosen).toBeUndefined();
    expect(all.map((phase) => phase.holds || phase.why)).toEqual([
      expect.stringMatching(/vCPUs busy at the peak, and the biggest box has 64/),
      expect.stringMatching(/vCPUs busy at the peak, and the biggest box has 64/),
      expect.stringMatching(/one thread of the cache's primary 180% busy/),
      expect.stringMatching(/one thread of the cache's primary 180% busy/),
    ]);
  });

  test('spot takes the story of 50,000 a month to about 21,600: its 60% need types that save more', () => {
    expect(50_000 * (1 - (spotSaving(945, prices) as number))).toBeCloseTo(21_600, -2);
    expect(spotSaving(945, prices, ['m7g.large'])).toBeGreaterThan(0.6);
    expect(spotSaving(2, prices)).toBe(0);
  });
});
