import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';

/**
 * The direction of the arrows: bin -> phases -> tiers -> aws-cdk-lib; app and lib share one file of constants and nothing else;
 * a tier stands alone. Each rule says which files it is for and what they may import.
 */
const ROOT = resolve(__dirname, '..');
const CONSTANTS = /^lib\/constants\.ts$/;
const CDK = /^(aws-cdk-lib|constructs|cdk-nag)(\/|$)/;

interface Rule {
  readonly name: string;
  readonly files: RegExp;
  /** What of the project they may import. */
  readonly project: readonly RegExp[];
  /** Packages that they may not import. */
  readonly notPackages?: readonly RegExp[];
}

const rules: readonly Rule[] = [
  {
    name: 'a tier imports the constants at most',
    files: /^lib\/tiers\//,
    project: [CONSTANTS],
    notPackages: [/^(?!node:|aws-cdk-lib|constructs)/],
  },
  {
    name: 'monitoring imports no phase',
    files: /^lib\/monitoring\//,
    project: [CONSTANTS, /^lib\/(monitoring|tiers)\//],
  },
  {
    name: 'a phase imports tiers and monitoring',
    files: /^lib\/phases\//,
    project: [CONSTANTS, /^lib\/(phases|tiers|monitoring)\/|^lib\/usage-error\.ts$/],
  },
  {
    name: 'the planner is arithmetic',
    files: /^lib\/planner\/(?!.*-verb\.ts$)/,
    project: [CONSTANTS, /^lib\/(planner\/(?!.*-verb\.ts$)|(demand|table|template|usage-error)\.ts)/],
    notPackages: [CDK],
  },
  {
    name: 'a verb of the planner runs the CDK as a program, if at all',
    files: /^lib\/planner\/.*-verb\.ts$/,
    project: [/^lib\/(planner\/|emulator\/environment\.ts|[^/]+\.ts)/],
    notPackages: [CDK],
  },
  {
    name: 'what runs on this machine imports no CDK',
    files: /^lib\/(rehearsal|emulator|bench)\/|^lib\/[^/]+\.ts$/,
    project: [/^lib\/(rehearsal|emulator|bench|planner)\/|^lib\/[^/]+\.ts$/],
    notPackages: [CDK],
  },
  {
    name: 'the evolution compares templates, and of the phases reads only what is said of them',
    files: /^lib\/evolution\//,
    project: [/^lib\/(evolution\/|phases\/(phases|sizes|steps)\.ts$|[^/]+\.ts$)/],
    notPackages: [CDK],
  },
  {
    name: 'the app imports itself and the constants',
    files: /^app\//,
    project: [CONSTANTS, /^app\//],
    notPackages: [CDK],
  },
  { name: 'only app/data/db.ts imports pg', files: /^app\/(?!db\.ts)/, project: [/./], notPackages: [/^pg$/] },
  {
    name: 'only app/data/redis.ts imports redis',
    files: /^app\/(?!redis\.ts)/,
    project: [/./],
    notPackages: [/^(redis$|@redis\/)/],
  },
  { name: 'nothing imports an entry point', files: /^(lib|app)\//, project: [/^(lib|app)\//] },
];

function breaches(file: string, source: string): string[] {
  const imports = ts.preProcessFile(source, true, true).importedFiles.map((one) => one.fileName);
  return rules
    .filter((rule) => rule.files.test(file))
    .flatMap((rule) =>
      imports
        .filter((name) =>
          name.startsWith('.')
            ? !rule.project.some((allowed) => allowed.test(target(file, name)))
            : rule.notPackages?.some((banned) => banned.test(name)),
        )
        .map((name) => `${file} imports ${name}, but ${rule.name}`),
    );
}

/** Path of an imported file from the project's root, with its ending. */
function target(file: string, name: string): string {
  const path = relative(ROOT, join(ROOT, dirname(file), name)).replace(/\.js$/, '');
  return /\.(ts|json)$/.test(path) ? path : `${path}.ts`;
}

function sources(...folders: string[]): string[] {
  return folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => `${folder}/${name}`),
  );
}

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

test('every import follows the arrows', () => {
  const files = sources('bin', 'lib', 'app');
  expect(files.length).toBeGreaterThan(20);
  expect(files.flatMap((file) => breaches(file, read(file)))).toEqual([]);
});

test.each([
  ['lib/tiers/box.ts', "import { Network } from './network';"],
  ['lib/tiers/box.ts', "import { Table } from 'cli-table3';"],
  ['lib/tiers/box.ts', "import { SingleBox } from '../phases/phase-1-single-box';"],
  ['lib/tiers/box.ts', "import { AlarmTopic } from '../monitoring/alarm-topic';"],
  ['lib/monitoring/alarms.ts', "import { SingleBox } from '../phases/phase-1-single-box';"],
  ['lib/phases/phase-1-single-box.ts', "import { startShop } from '../rehearsal/shop-process';"],
  ['tools/evolution/gate.ts', "import { Stack } from 'aws-cdk-lib';"],
  ['tools/evolution/gate.ts', "import { SingleBox } from '../phases/phase-1-single-box';"],
  ['tools/planner/cost/bill.ts', "import { Stack } from 'aws-cdk-lib';"],
  ['tools/planner/cost/bill.ts', "import { synthesize } from '../../assembly';"],
  ['tools/planner/commands/cost-command.ts', "import { Stack } from 'aws-cdk-lib';"],
  ['tools/planner/commands/plan-command.ts', "import { sizes } from '../phases/sizes';"],
  ['tools/rehearsal/start/start.ts', "import { Box } from '../tiers/box';"],
  ['tools/rehearsal/start/start.ts', "import { createApp } from '../../app/app';"],
  ['app/app.ts', "import { table } from '../tools/support/table';"],
  ['app/routes/cart.ts', "import { Pool } from 'pg';"],
  ['app/sessions/stores.ts', "const { createClient } = await import('redis');"],
  ['tools/support/doctor.ts', "const cli = await import('../bin/cli');"],
])('an import against the arrows is found: %s: %s', (file, source) => {
  expect(breaches(file, source)).not.toEqual([]);
});

test('only app/config.ts reads the environment of the app', () => {
  const readers = sources('app').filter(
    (file) => !file.startsWith('tools/product-pictures/') && /process\.env/.test(read(file)),
  );
  expect(readers).toEqual(['app/config.ts']);
});
