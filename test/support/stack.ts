import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, type Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { SingleBox } from '../../lib/phases/phase-1-single-box';
import { SeparateDatabase } from '../../lib/phases/phase-2-separate-database';
import { LoadBalancedFarm } from '../../lib/phases/phase-3-load-balanced-farm';
import { ElasticFleet } from '../../lib/phases/phase-4-elastic-fleet';
import { ShopStack } from '../../lib/phases/shop-stack';
import { type BoxSizeName, sizes } from '../../lib/phases/sizes';
import type { PhaseId, PhaseProps, TemplateJson } from './templates';

const ROOT = join(__dirname, '..', '..');

/** Output folder of all apps, from `global-setup.js`. */
const OUT = process.env.CDK_TEST_OUT ?? tmpdir();

const ASSET_HASH = /[0-9a-f]{64}/g;
expect.addSnapshotSerializer({
  test: (value) => typeof value === 'string' && value.search(ASSET_HASH) >= 0,
  serialize: (value: string) => JSON.stringify(value.replace(ASSET_HASH, 'ASSET_HASH')),
});

/** A small app bundle that never changes, so that snapshots do not depend on the shop. */
export const APP_BUNDLE = join(__dirname, 'app-bundle');

const phases = {
  'phase-1': SingleBox,
  'phase-2': SeparateDatabase,
  'phase-3': LoadBalancedFarm,
  'phase-4': ElasticFleet,
} as const;

/** Creates an app with the feature flags of cdk.json, like the CDK CLI. */
export function makeApp(context: Record<string, unknown> = {}): App {
  const cdkJson = JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8'));
  return new App({
    outdir: mkdtempSync(join(OUT, 'app-')),
    analyticsReporting: false,
    // Both take a third of a synth, and no template shows them.
    stackTraces: false,
    treeMetadata: false,
    context: { ...cdkJson.context, ...context },
  });
}

/** Creates the stack of a phase like bin/shop.ts, with the small app bundle. */
export function makePhase<P extends PhaseId>(id: P, props: PhaseProps = {}, app = makeApp()) {
  const stack = new ShopStack(app, id);
  const shop = new phases[id](stack, 'Shop', { appBundle: APP_BUNDLE, ...props }) as InstanceType<(typeof phases)[P]>;
  return { app, stack, shop };
}

/** Creates a stack for tests of a single tier. */
export function makeStack(): Stack {
  return new ShopStack(makeApp(), 'test');
}

export function templateOf(stack: Stack): TemplateJson {
  return Template.fromStack(stack).toJSON() as TemplateJson;
}

/** A phase and its props under a name, for `test.each`. */
export interface Variant {
  readonly id: PhaseId;
  readonly name: string;
  readonly props: PhaseProps;
}

function variantsOf(id: PhaseId, variants: Readonly<Record<string, Variant['props']>>): Variant[] {
  return Object.entries(variants).map(([name, props]) => ({ id, name, props }));
}

export const DOMAIN = { domainName: 'shop.example.com', hostedZoneId: 'Z0123456789ABC' };

const EVERYTHING = { size: '64vcpu', ...DOMAIN, alarmEmail: 'ops@example.com', monthlyBudget: 100 } as const;

/** Phases 1 to 3, each with default props and with all options. */
export const variants: readonly Variant[] = (['phase-1', 'phase-2', 'phase-3'] as const).flatMap((id) =>
  variantsOf(id, { minimal: {}, 'with everything': EVERYTHING }),
);

export const farmVariants: readonly Variant[] = variantsOf('phase-3', {
  'layer 4': { layer: 4, sticky: true },
  sticky: { sticky: true },
  'one NAT': { natGateways: 1 },
  'round robin': { algorithm: 'round-robin' },
  'ten servers': { servers: 10 },
  'without replicas': { replicas: 0 },
});

/** All options of the farm variants in two templates, for slow checks. */
export const combinedFarmVariants: readonly Variant[] = variantsOf('phase-3', {
  'layer 4, sticky, one NAT, without replicas': { layer: 4, sticky: true, natGateways: 1, replicas: 0 },
  'layer 7, sticky, round robin, ten servers': { sticky: true, algorithm: 'round-robin', servers: 10 },
});

export const elasticVariants: readonly Variant[] = variantsOf('phase-4', {
  minimal: {},
  'with everything': { ...DOMAIN, alarmEmail: 'ops@example.com', monthlyBudget: 100, maxServers: 40, replicas: 3 },
  'without spot': { spot: false, natGateways: 1, predictive: 'ForecastAndScale', timeZone: 'Europe/Berlin' },
});

/** What else the tests of phases 1 to 3 make. */
export const otherVariants: readonly Variant[] = [
  ...combinedFarmVariants,
  ...(['phase-1', 'phase-2', 'phase-3'] as const).flatMap((id) => variantsOf(id, { 'with a domain': DOMAIN })),
  ...variantsOf('phase-1', { 'with a budget': { alarmEmail: 'ops@example.com', monthlyBudget: 100 } }),
  ...variantsOf('phase-1', Object.fromEntries((Object.keys(sizes) as BoxSizeName[]).map((size) => [size, { size }]))),
  ...variantsOf('phase-3', { 'one replica': { replicas: 1 } }),
].toSorted((one, other) => one.id.localeCompare(other.id));

/** Types that hold data, or that are needed to read it. */
const STATEFUL = [
  'AWS::EC2::Volume',
  'AWS::RDS::DBInstance',
  'AWS::SecretsManager::Secret',
  'AWS::KMS::Key',
  'AWS::Backup::BackupVault',
  'AWS::Logs::LogGroup',
  'AWS::S3::Bucket',
  'AWS::SQS::Queue',
];

/** Whether a resource holds state. A read replica does not, because its primary has the same data. */
export function isStateful(resource: TemplateJson['Resources'][string]): boolean {
  return STATEFUL.includes(resource.Type) && resource.Properties.SourceDBInstanceIdentifier === undefined;
}

/** Returns the differences between two templates, one `path: before -> after` line per value. */
export function templateDiff(before: unknown, after: unknown, path = ''): string[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  const both = [before, after];
  if (both.every((side) => typeof side === 'object' && side !== null)) {
    const [left, right] = both as [Record<string, unknown>, Record<string, unknown>];
    const keys = [...new Set([...Object.keys(left), ...Object.keys(right)])];
    return keys.flatMap((key) => templateDiff(left[key], right[key], path ? `${path}.${key}` : key));
  }
  return [`${path}: ${brief(before)} -> ${brief(after)}`];
}

function brief(value: unknown): string {
  if (value === undefined) return '(none)';
  const { Type } = value as { Type?: string };
  return Type ?? JSON.stringify(value);
}
