import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, type Stack, Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { SingleBox } from '../../lib/phases/phase-1-single-box';
import { SeparateDatabase } from '../../lib/phases/phase-2-separate-database';
import { LoadBalancedFarm } from '../../lib/phases/phase-3-load-balanced-farm';
import { ElasticFleet } from '../../lib/phases/phase-4-elastic-fleet';
import type { ElasticProps, FarmProps } from '../../lib/phases/shop-props';
import { ShopStack } from '../../lib/phases/shop-stack';

const ROOT = join(__dirname, '..', '..');

/** Output folder of all apps, removed at the end. The CDK would keep a folder per app. */
const OUT = mkdtempSync(join(tmpdir(), 'cdk-test-'));
afterAll(() => rmSync(OUT, { recursive: true, force: true }));

// The CDK's template validation takes seconds per file. The phase tests delete this variable.
process.env.CDK_VALIDATION = 'false';

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

export type PhaseId = keyof typeof phases;

/** Creates an app with the feature flags of cdk.json, like the CDK CLI. */
export function makeApp(context: Record<string, unknown> = {}): App {
  const cdkJson = JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8'));
  return new App({
    outdir: mkdtempSync(join(OUT, 'app-')),
    analyticsReporting: false,
    context: { ...cdkJson.context, ...context },
  });
}

/** Creates the stack of a phase like bin/shop.ts, with the small app bundle. */
export function makePhase<P extends PhaseId>(id: P, props: Partial<FarmProps & ElasticProps> = {}, app = makeApp()) {
  const stack = new ShopStack(app, id);
  const shop = new phases[id](stack, 'Shop', { appBundle: APP_BUNDLE, ...props }) as InstanceType<(typeof phases)[P]>;
  return { app, stack, shop };
}

/** Creates a stack for tests of a single tier. */
export function makeStack(): Stack {
  return new ShopStack(makeApp(), 'test');
}

// biome-ignore lint/suspicious/noExplicitAny: template values have no common type
export type TemplateJson = { Resources: Record<string, any>; Outputs?: Record<string, any> } & Record<string, any>;

export function templateOf(stack: Stack): TemplateJson {
  return Template.fromStack(stack).toJSON() as TemplateJson;
}

const templates = new Map<string, TemplateJson>();

/** Returns the template of a phase, cached per test file and props. Do not modify it. */
export function phaseTemplate(id: PhaseId, props: Partial<FarmProps & ElasticProps> = {}): TemplateJson {
  const key = JSON.stringify([id, props]);
  const made = templates.get(key) ?? templateOf(makePhase(id, props).stack);
  templates.set(key, made);
  return made;
}

/** A named set of props for a phase, for `test.each`. */
export interface Variant {
  readonly id: PhaseId;
  readonly name: string;
  readonly props: Partial<FarmProps & ElasticProps>;
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

/** Returns the resources of one type, by logical id. */
// biome-ignore lint/suspicious/noExplicitAny: see TemplateJson
export function resourcesOf(template: TemplateJson, type: string): Record<string, any> {
  return Object.fromEntries(Object.entries(template.Resources).filter(([, resource]) => resource.Type === type));
}

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

/** Returns the unsuppressed cdk-nag findings of a phase. */
export function nagFindings({ id, props }: Variant): { findings: unknown[]; failure: unknown } {
  const app = makeApp();
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  makePhase(id, props, app);
  const printed = jest.spyOn(console, 'error').mockClear().mockImplementation();
  let failure: unknown;
  try {
    app.synth();
  } catch (error) {
    failure = error;
  }
  return { findings: printed.mock.calls.flat().filter((line) => !line.startsWith('WARNING')), failure };
}

/** Runs cfn-lint on phases. Returns its output and exit code. */
export function lint(variants: readonly Variant[]): { stdout: string; status: number | null } {
  const dir = mkdtempSync(join(OUT, 'lint-'));
  const files = variants.map(({ id, name, props }) => {
    const file = join(dir, `${id} ${name}.json`);
    writeFileSync(file, JSON.stringify(phaseTemplate(id, props)));
    return file;
  });
  const { stdout, status } = spawnSync('cfn-lint', files, { encoding: 'utf8' });
  return { stdout, status };
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
