import fc from 'fast-check';
import { ELASTIC_INSTANCE_TYPES, ELASTIC_VCPUS, sizes } from '../../../lib/phases/sizes';
import { type AssembledStack, synthesize } from '../../../tools/cloudformation/assembly';
import { billOf } from '../../../tools/planner/cost/bill';
import { freeTypes } from '../../../tools/planner/cost/free';
import { pricers } from '../../../tools/planner/cost/pricers';
import { type ExpectedTraffic, TRAFFIC_DEFAULTS } from '../../../tools/planner/cost/usage';
import demand from '../../../tools/planner/plan/demand.json';
import type { PhasePlan } from '../../../tools/planner/plan/phase-plan';
import { capacityOf, planFor } from '../../../tools/planner/plan/plan';
import { renderPlan } from '../../../tools/planner/plan/render';
import { scaledTemplate } from '../../../tools/planner/plan/scaled-template';
import { spotSaving } from '../../../tools/planner/plan/spot-saving';
import type { PlanInput } from '../../../tools/planner/plan/workload';
import { readPriceTable } from '../../../tools/planner/prices/table';

jest.mock('../../../tools/cloudformation/assembly', () => require('../../support/shared-synth'));

/** Bills and plans of the project's phases, from a real `cdk synth`. */
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
const traffic = (rps: number, more: Partial<ExpectedTraffic> = {}) =>
  ({ rps, ...defaults, ...more }) as ExpectedTraffic;
const input = (rps: number, more: Partial<PlanInput> = {}, shape: Partial<ExpectedTraffic> = {}): PlanInput => ({
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

  test('of phase 3 is the sum of its resources', () => {
    const bill = billOf([stack('phase-3')], { prices });
    const usd = (type: string) => bill.rows.reduce((sum, row) => sum + (row.type === type ? row.usd : 0), 0);
    expect(usd('AWS::EC2::NatGateway')).toBeCloseTo(3 * 32.85, 6);
    expect(usd('AWS::RDS::DBInstance')).toBeCloseTo(0.13 * 730 + 23 + 2 * (0.065 * 730 + 11.5), 6);
    expect(usd('AWS::ElastiCache::ReplicationGroup')).toBeCloseTo(3 * 0.0256 * 730, 6);
    expect(usd('AWS::AutoScaling::AutoScalingGroup')).toBeCloseTo(5 * (0.0336 * 730 + 1.6 + 2.1), 6);
  });

  test('prices only resource types of CloudFormation', async () => {
    const { loadAwsServiceSpec } = await import('@aws-cdk/aws-service-spec');
    const spec = await loadAwsServiceSpec();
    const known = new Set(spec.all('resource').map(({ cloudFormationType }) => cloudFormationType));
    const notKnown = [...freeTypes.keys(), ...Object.keys(pricers)].filter((type) => !known.has(type));
    // Only the CDK defines AWS::CDK::Metadata.
    expect(notKnown.filter((type) => type !== 'AWS::CDK::Metadata')).toEqual([]);
    expect(Object.keys(pricers).filter((type) => freeTypes.has(type))).toEqual([]);
  });
});

describe('a scaled template', () => {
  test.each(Object.entries(sizes))('size %s has the vCPUs and memory of its type', (_name, size) => {
    const { vcpus, memoryGib } = size;
    expect(prices.machine(size.instanceType)).toMatchObject({ vcpus, memoryGib });
  });

  test.each(ELASTIC_INSTANCE_TYPES)('%s has the vCPUs of every server in phase 4', (type) => {
    expect(prices.machine(type)?.vcpus).toBe(ELASTIC_VCPUS);
  });

  test.each([
    ['phase-1', { box: sizes.growth }, {}],
    ['phase-3', { serverType: 'm7g.xlarge', replicas: 4 }, { Fleet: 12 }],
    ['phase-4', { replicas: 4 }, { ElasticFleet: 3 }],
  ])('of %s costs the same as a synth with -c, apart from alarms', (id, scale, instances) => {
    const withoutAlarms = (one: AssembledStack) =>
      billOf([one], { prices, traffic: traffic(2000), instances })
        .rows.filter(({ type }) => type !== 'AWS::CloudWatch::Alarm')
        .reduce((sum, { usd }) => sum + usd, 0);
    const scaledCopy = { ...stack(id), template: scaledTemplate(stack(id).template, scale) };
    expect(withoutAlarms(scaledCopy)).toBeCloseTo(withoutAlarms(scaled.get(id) as AssembledStack), 6);
    expect(withoutAlarms(scaledCopy)).not.toBeCloseTo(withoutAlarms(stack(id)), 0);
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

  test('never costs less for more traffic, over four orders of magnitude and for any mix', () => {
    fc.assert(
      fc.property(exponent, exponent, survive, ratio, shapes, (one, other, surviving, cacheHitRatio, shape) => {
        const [low, high] = [one, other].toSorted((a, b) => a - b).map((e) => 10 ** e) as [number, number];
        const more = { survive: surviving, cacheHitRatio };
        const [small, big] = [plan(low, more, shape), plan(high, more, shape)];
        for (const [at, bigger] of big.phases.entries()) {
          const smaller = small.phases[at] as PhasePlan;
          if (!bigger.holds) continue;
          // A sufficient phase is also sufficient for less traffic.
          expect(smaller.holds).toBe(true);
          expect(bigger.bill.totalUsd).toBeGreaterThanOrEqual(smaller.bill.totalUsd - 1e-6);
          expect(bigger.serversHoldRps).toBeGreaterThanOrEqual(high * (1 - 1e-9));
        }
        if (!big.chosen) return;
        expect(big.chosen.bill.totalUsd).toBeGreaterThanOrEqual((small.chosen as PhasePlan).bill.totalUsd - 1e-6);
      }),
      { numRuns: 15 },
    );
  });

  test('never has less capacity for more traffic', () => {
    // Prefers close pairs, because the chosen phase changes there.
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
      { numRuns: 6 },
    );
  });

  test('is the same up to its capacity, and another one above it', () => {
    const made = input(5000);
    const { chosen } = planFor(made, stacks, prices);
    const capacity = capacityOf(chosen as PhasePlan, made, stacks, prices);
    const context = (rps: number) => plan(rps).chosen?.context;
    expect(context(capacity)).toEqual(chosen?.context);
    expect(context(capacity * 1.0002)).not.toEqual(chosen?.context);
  });

  test('starts on one instance, and prints the price of redundancy', () => {
    const { chosen } = plan(50);
    expect(chosen).toMatchObject({ phase: 'phase-1', serverType: 't4g.medium', context: ['size=launch'] });
    expect(renderPlan(plan(50), input(50), 100)).toMatch(
      /A single machine is a single point of failure\. phase-3 survives the loss of any zone for [\d.]+ more a month\./,
    );
  });

  test('needs more than one instance to survive the loss of a server', () => {
    const { chosen, phases: all } = plan(50, { survive: 'server' });
    expect(chosen).toMatchObject({ phase: 'phase-3', servers: 2 });
    expect(all[0]).toMatchObject({ holds: false, why: 'a single machine cannot survive the loss of a server' });
  });

  test('keeps the remaining servers below 80% after the loss of a zone', () => {
    const { phases: all } = plan(40_000, { survive: 'zone' });
    const farm = all[2] as PhasePlan;
    const left = farm.servers - Math.ceil(farm.servers / 3);
    const perServer = farm.serversHoldRps / Math.min(farm.servers * 0.6, left * 0.8);
    expect(perServer * left * 0.8).toBeGreaterThanOrEqual(40_000);
    expect(perServer * (left - 1) * 0.8).toBeLessThan(40_000);
  });

  test('adds servers for larger responses once the network is the limit', () => {
    const farm = (responseBytes: number) => plan(40_000, {}, { responseBytes }).phases[2] as PhasePlan;
    const small = farm(4096);
    const big = farm(40_000);
    expect(big.serversHoldRps).toBeGreaterThanOrEqual(40_000);
    expect(big.bill.totalUsd).toBeGreaterThan(small.bill.totalUsd);
    const reason = big.reasons.find(({ what }) => what.startsWith('network: '));
    const [, used = '', has = ''] = /network: ([\d,.]+) of ([\d,.]+) Mbit\/s/.exec(reason?.what ?? '') ?? [];
    const [mbps, most] = [used, has].map((text) => Number(text.replaceAll(',', ''))) as [number, number];
    expect(mbps).toBeLessThanOrEqual(most * 0.61);
    // CPU alone would need as many servers as small responses do.
    const vcpus = ({ servers, serverType }: PhasePlan) => servers * (prices.machine(serverType)?.vcpus ?? 0);
    expect(vcpus(big)).toBeGreaterThan(vcpus(small));
  });

  test('chooses a larger instance for its network, and names the network as the limit of the largest', () => {
    const box = (rps: number, responseBytes: number) => plan(rps, {}, { responseBytes }).phases[1];
    expect(box(500, 4096)).toMatchObject({ holds: true, serverType: 't4g.medium' });
    // 500 x 100,000 bytes are 400 Mbit/s, and t4g.medium has 256.
    expect(box(500, 100_000)).toMatchObject({ holds: true, serverType: 'm7g.xlarge' });
    expect(box(5000, 1e6)).toMatchObject({
      holds: false,
      why: 'the network of the largest size has 30,000 Mbit/s, of which 60% may be used',
    });
  });

  test('chooses a larger instance when the processes exceed the memory', () => {
    const boxes = (processMib: number) => plan(50, { demand: { ...demand, processMib } }).phases;
    expect(boxes(200)[0]).toMatchObject({ serverType: 't4g.medium' });
    // 2 x 700 MiB and the system exceed the half of 4 GiB that PostgreSQL leaves. Without PostgreSQL they fit.
    expect(boxes(700)[0]).toMatchObject({ serverType: 'm7g.xlarge' });
    expect(boxes(700)[1]).toMatchObject({ serverType: 't4g.medium' });
    expect(boxes(3000)[3]).toMatchObject({
      holds: false,
      why: 'a server needs 6.4 GiB, more than its instance type has',
    });
  });

  test('gives reasons for memory and network', () => {
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
      what: 'network not checked',
      how: expect.stringMatching(/^the baseline bandwidth of \S+ is unknown$/),
    });
  });

  test('adds replicas for a lower cache hit ratio', () => {
    const replicas = (cacheHitRatio: number) =>
      (plan(40_000, { cacheHitRatio }).phases[2] as PhasePlan).database?.replicas;
    expect(replicas(0.95)).toBe(3);
    expect(replicas(0.5)).toBeGreaterThan(replicas(0.95) as number);
  });

  test('keeps all pools together within 80% of the connections of the class', () => {
    for (const rps of [100, 10_000, 100_000]) {
      for (const phase of plan(rps, { survive: 'zone' }).phases) {
        if (!phase.holds || phase.database?.pool === undefined) continue;
        const vcpus = prices.machine(phase.serverType)?.vcpus as number;
        const processes = Math.ceil(phase.servers * 1.2) * vcpus;
        expect(processes * phase.database.pool).toBeLessThanOrEqual(0.8 * phase.database.maxConnections);
      }
    }
  });

  test('adds servers for contention and coherency, and names the peak of the law', () => {
    const usl = { lambda: 1000, sigma: 0.02, kappa: 0.0005 };
    const servers = (rps: number, law: typeof usl) => (plan(rps, { usl: law }).phases[2] as PhasePlan).servers;
    expect(servers(5000, { ...usl, sigma: 0, kappa: 0 })).toBe(11);
    expect(servers(5000, usl)).toBeGreaterThan(11);
    expect(plan(50_000, { usl }).phases[2]).toMatchObject({
      holds: false,
      why: 'by the measured scalability law throughput peaks at 44 servers, below 50,000 requests/s',
    });
  });

  test('gives a reason for each phase when none is sufficient', () => {
    const { chosen, phases: all } = plan(1e6);
    expect(chosen).toBeUndefined();
    expect(all.map((phase) => phase.holds || phase.why)).toEqual([
      expect.stringMatching(/vCPUs busy at the peak, and the largest size has 64/),
      expect.stringMatching(/vCPUs busy at the peak, and the largest size has 64/),
      expect.stringMatching(/single thread of the primary cache node 180% busy/),
      expect.stringMatching(/single thread of the primary cache node 180% busy/),
    ]);
  });

  test('a spot fleet of 50,000 USD a month costs about 21,600: a saving of 60% needs other types', () => {
    expect(50_000 * (1 - (spotSaving(945, prices) as number))).toBeCloseTo(21_600, -2);
    expect(spotSaving(945, prices, ['m7g.large'])).toBeGreaterThan(0.6);
    expect(spotSaving(2, prices)).toBe(0);
  });
});
