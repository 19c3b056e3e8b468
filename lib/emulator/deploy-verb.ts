import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { table } from '../table';
import { ACCOUNT, cdk, emulatorEnv, REGION } from './cdk';
import { type InventoryRow, type Template, takeInventory } from './inventory';
import type { Facts } from './kinds';
import { startMoto } from './moto';

export interface DeployLocallyOptions {
  /** Id of the stack, such as `phase-1`. */
  readonly phase: string;
  /** CDK context, `name=value` each. */
  readonly context: readonly string[];
  readonly json: boolean;
}

/**
 * The verb `deploy:local`: the real `cdk bootstrap` and `cdk deploy` against a fresh emulator, then what exists there.
 * Returns the exit code: 1 when something that the emulator knows is missing or differs from the template.
 */
export async function deployLocally(options: DeployLocallyOptions): Promise<number> {
  const out = mkdtempSync(join(tmpdir(), 'shop-deploy-'));
  const step = (text: string) => console.error(`\n${text}`);
  const detail = (line: string) => console.error(`  ${line}`);
  const context = options.context.flatMap((pair) => ['-c', pair]);
  const moto = await startMoto();
  const interrupted = () => {
    void moto.stop().then(() => process.exit(130));
  };
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    const env = emulatorEnv(moto.endpoint);
    step(`cdk synth ${options.phase}`);
    await cdk(['synth', options.phase, '--quiet', '--output', out, ...context], env, detail);
    step(`cdk bootstrap, against moto server at ${moto.endpoint}`);
    await cdk(['bootstrap', `aws://${ACCOUNT}/${REGION}`, '--app', out], env, detail);
    step(`cdk deploy ${options.phase}`);
    const approval = ['--require-approval', 'never', '--progress', 'events'];
    await cdk(['deploy', options.phase, '--app', out, ...approval], env, detail);

    const { template, stackName } = readAssembly(out, options.phase);
    const rows = await takeInventory({
      template,
      stackName,
      skippedTypes: moto.skippedTypes(),
      endpoint: moto.endpoint,
      region: REGION,
    });
    console.log(options.json ? JSON.stringify(rows, null, 2) : render(rows));
    return rows.some((row) => row.verdict === 'missing' || row.verdict === 'differs') ? 1 : 0;
  } catch (error) {
    throw new Error(`${(error as Error).message}\nmoto's last lines:\n${moto.log()}`);
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    await moto.stop();
    rmSync(out, { recursive: true, force: true });
  }
}

function readAssembly(out: string, stackId: string): { template: Template; stackName: string } {
  const manifest = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8'));
  const { templateFile, stackName } = manifest.artifacts[stackId].properties;
  return { template: JSON.parse(readFileSync(join(out, templateFile), 'utf8')), stackName: stackName ?? stackId };
}

const MARKS = { exists: '✓', differs: '≠', missing: '✗', skipped: '–' } as const;

function render(rows: readonly InventoryRow[]): string {
  const seen = rows.filter((row) => row.verdict !== 'skipped');
  const lines = seen.map((row) => [MARKS[row.verdict], row.path, kind(row), tell(row.asked), tell(row.found)]);
  const skipped = new Map<string, number>();
  for (const row of rows.filter((one) => one.verdict === 'skipped')) {
    skipped.set(row.type, (skipped.get(row.type) ?? 0) + 1);
  }
  const count = (verdict: InventoryRow['verdict']) => rows.filter((row) => row.verdict === verdict).length;
  return [
    '',
    table([' ', 'construct', 'type', 'the template asks for', 'what exists'], lines),
    '',
    ...(skipped.size > 0
      ? [
          'The emulator does not know these types and left them out:',
          ...[...skipped].map(([type, number]) => `  ${type}${number > 1 ? ` × ${number}` : ''}`),
          '',
        ]
      : []),
    `${rows.length} resources: ${count('exists')} exist as asked, ${count('differs')} differ, ` +
      `${count('missing')} missing, ${count('skipped')} of types that the emulator does not know.`,
  ].join('\n');
}

function kind(row: InventoryRow): string {
  return row.type.replace(/^AWS::/, '');
}

function tell(facts: Facts): string {
  return Object.entries(facts)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}
