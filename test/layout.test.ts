import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '..');

/** One import against each rule of `.dependency-cruiser.cjs`: the file, what it imports, the rule that must report it. */
const violations: readonly (readonly [file: string, source: string, rule: string])[] = [
  ['lib/tiers/box.ts', "import './network';", 'a-tier-stands-alone'],
  ['lib/tiers/edge.ts', "import type { SingleBox } from '../phases/single-box';", 'a-tier-stands-alone'],
  ['lib/tiers/fleet.ts', "import '../monitoring/alarms';", 'a-tier-stands-alone'],
  ['lib/tiers/queue.ts', "import Table from 'cli-table3';", 'lib-needs-only-the-cdk'],
  ['lib/tiers/web-acl.ts', "import 'cdk-nag';", 'lib-needs-only-the-cdk'],
  ['lib/phases/sizes.ts', "import { Size } from 'aws-cdk-lib';", 'facts-of-phases-load-no-cdk'],
  ['bin/planner.ts', "import '../lib/tiers/network';", 'the-command-line-loads-no-cdk'],
  ['bin/doctor.ts', "import { App } from 'aws-cdk-lib';", 'the-command-line-loads-no-cdk'],
  ['app/pages/cart.ts', "import type { Cart } from '../data/repositories/carts';", 'pages-read-no-data'],
  ['app/routes/orders.ts', "import type { Pool } from 'pg';", 'one-module-opens-the-database'],
  ['tools/docs/dead.ts', "import '../support/doctor';", 'every-file-is-reachable'],
  ['lib/monitoring/alarms.ts', "import '../phases/single-box';", 'monitoring-imports-no-phase'],
  ['lib/phases/single-box.ts', "import '../../tools/support/table';", 'lib-stands-below-tools-and-app'],
  ['lib/phases/farm.ts', "import '../../app/app';", 'lib-stands-below-tools-and-app'],
  ['lib/constants.ts', "import './tiers/network';", 'constants-import-nothing'],
  ['app/app.ts', "import '../tools/support/table';", 'the-app-imports-itself-and-the-constants'],
  ['app/worker.ts', "import { Stack } from 'aws-cdk-lib';", 'the-app-imports-itself-and-the-constants'],
  ['app/http/lifecycle.ts', "import type { Lane } from './load-shedding';", 'a-middleware-stands-alone'],
  ['app/sessions/session-client.ts', "import session from 'express-session';", 'a-middleware-stands-alone'],
  ['app/server.ts', "import { build } from 'esbuild';", 'the-app-imports-no-dev-dependency'],
  ['app/routes/cart.ts', "import { Pool } from 'pg';", 'one-module-opens-the-database'],
  ['app/sessions/stores.ts', "export const redis = () => import('redis');", 'one-module-opens-redis'],
  ['tools/bench/load.ts', "import { Stack } from 'aws-cdk-lib';", 'tools-run-the-cdk-as-a-program'],
  ['tools/evolution/gate.ts', "import '../../lib/phases/single-box';", 'tools-read-facts-of-phases-only'],
  ['tools/rehearsal/start/start.ts', "import '../../../app/app';", 'tools-run-the-bundled-app'],
  ['tools/planner/cost/bill.ts', "import '../../cloudformation/assembly';", 'the-planner-is-arithmetic'],
  ['tools/support/doctor.ts', "import '../bench/load';", 'support-stands-below-every-tool'],
  ['tools/support/table.ts', "export const cli = () => import('../../bin/cli');", 'nothing-imports-an-entry-point'],
  ['tools/rehearsal/programs/redis.ts', "import '../topology/front';", 'programs-stand-below-the-topology'],
  ['tools/rehearsal/topology/front.ts', "import '../report/html';", 'the-topology-stands-below-its-users'],
  ['tools/rehearsal/traffic/client.ts', "import '../topology/front';", 'traffic-imports-no-topology'],
  ['tools/rehearsal/report/html.ts', "import './charts';", 'no-circular'],
  ['tools/rehearsal/report/charts.ts', "import type { Html } from './html';", 'no-circular'],
  ['tools/docs/unused.ts', '', 'no-orphans'],
  ['tools/docs/misspelled.ts', "import './generated';", 'no-unresolvable'],
];

/** Files that the violations import and that violate nothing. */
const others = [
  'lib/tiers/network.ts',
  'lib/tiers/cell-router/function.ts',
  'app/data/repositories/carts.ts',
  'app/http/load-shedding.ts',
  'tools/cloudformation/assembly.ts',
  'bin/cli.ts',
];

describe('the rules of dependency-cruiser', () => {
  let project: string;
  let found: ReadonlySet<string>;

  beforeAll(() => {
    project = mkdtempSync(join(tmpdir(), 'layout-'));
    for (const file of ['.dependency-cruiser.cjs', 'tsconfig.json', 'package.json'])
      cpSync(join(ROOT, file), join(project, file));
    symlinkSync(join(ROOT, 'node_modules'), join(project, 'node_modules'));
    for (const [file, source] of [...violations, ...others.map((file) => [file, ''] as const)]) {
      mkdirSync(dirname(join(project, file)), { recursive: true });
      writeFileSync(join(project, file), `${source}\nexport type Html = string;\n`);
    }
    const cli = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
    const { stdout } = spawnSync(process.execPath, [cli, '--output-type', 'json', 'bin', 'lib', 'app', 'tools'], {
      cwd: project,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    const { summary } = JSON.parse(stdout) as { summary: { violations: { from: string; rule: { name: string } }[] } };
    found = new Set(summary.violations.map(({ from, rule }) => `${from}: ${rule.name}`));
  });

  afterAll(() => rmSync(project, { recursive: true, force: true }));

  test.each(violations)('%s: %s is reported by %s', (file, _source, rule) => {
    // A circle is reported at one of its files.
    const reported =
      rule === 'no-circular' ? ['tools/rehearsal/report/html.ts', 'tools/rehearsal/report/charts.ts'] : [file];
    expect(reported.some((from) => found.has(`${from}: ${rule}`))).toBe(true);
  });

  test('each rule has an import that violates it', () => {
    const { forbidden } = require(join(ROOT, '.dependency-cruiser.cjs')) as { forbidden: { name: string }[] };
    expect(new Set(violations.map(([, , rule]) => rule))).toEqual(new Set(forbidden.map(({ name }) => name)));
  });
});

test('only app/config.ts reads the environment of the app', () => {
  const readers = readdirSync(join(ROOT, 'app'), { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && /process\.env/.test(readFileSync(join(ROOT, 'app', file), 'utf8')),
  );
  expect(readers).toEqual(['config.ts']);
});

/** Copied into the bundle as they are; app/README.md describes them. Fixtures of a test are described by the test. */
const withoutReadme = ['app/host', 'app/public/products'];

test('each folder with more than five files has a README', () => {
  const files = execFileSync('git', ['ls-files', '--', 'app', 'bin', 'lib', 'tools', 'test'], {
    cwd: ROOT,
    encoding: 'utf8',
  })
    .trim()
    .split('\n');
  const counts = new Map<string, number>();
  for (const file of files) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
  const silent = [...counts]
    .filter(([folder, count]) => count > 5 && !files.includes(`${folder}/README.md`) && !withoutReadme.includes(folder))
    .map(([folder]) => folder);
  expect(silent).toEqual([]);
});
