import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(__dirname, '..');
const CDK = join(ROOT, 'node_modules/aws-cdk/bin/cdk');

/** The README's steps in a project that `cdk init` made, with its own compiler settings and feature flags. */
test('the example of the README synthesizes in a new CDK app', () => {
  const dir = mkdtempSync(join(tmpdir(), 'readme-'));
  try {
    const project = join(dir, 'my-blog');
    mkdirSync(project);
    const env = { PATH: process.env.PATH, HOME: dir, CI: 'true', CDK_DISABLE_CLI_TELEMETRY: 'true' };
    const cdk = (...args: string[]) =>
      execFileSync(process.execPath, [CDK, ...args], { cwd: project, env, stdio: 'pipe' });
    cdk('init', 'app', '--language', 'typescript', '--generate-only');
    symlinkSync(join(ROOT, 'node_modules'), join(project, 'node_modules'));

    const example = /^```ts\n([\s\S]*?)^```/m.exec(readFileSync(join(ROOT, 'README.md'), 'utf8'))?.[1] ?? '';
    const tiers = [...example.matchAll(/from '\.\/tiers\/(.+)'/g)].map(([, tier]) => `${tier}.ts`);
    expect(tiers.length).toBeGreaterThan(1);
    mkdirSync(join(project, 'lib/tiers'));
    for (const tier of tiers) cpSync(join(ROOT, 'lib/tiers', tier), join(project, 'lib/tiers', tier));
    writeFileSync(join(project, 'lib/blog.ts'), example);
    const [entry = ''] = readdirSync(join(project, 'bin'));
    const app = readFileSync(join(project, 'bin', entry), 'utf8').replace(
      /^import/m,
      "import { Blog } from '../lib/blog';\nimport",
    );
    writeFileSync(join(project, 'bin', entry), `${app}\nnew Blog(app, 'Blog');\n`);
    mkdirSync(join(project, 'dist'));
    writeFileSync(join(project, 'dist/set-up.sh'), '#!/bin/sh\n');

    cdk('synth', '--quiet');
    const template = JSON.parse(readFileSync(join(project, 'cdk.out/Blog.template.json'), 'utf8'));
    const subnets = Object.values<{ Type: string; Properties: { AvailabilityZone: unknown } }>(
      template.Resources,
    ).filter(({ Type }) => Type === 'AWS::EC2::Subnet');
    const zones = new Set(subnets.map(({ Properties }) => JSON.stringify(Properties.AvailabilityZone)));
    expect({ subnets: subnets.length, zones: zones.size }).toEqual({ subnets: 9, zones: 3 });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
