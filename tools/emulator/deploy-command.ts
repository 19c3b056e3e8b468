import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AssembledStack, readAssembly } from '../cloudformation/assembly';
import { runCdk } from '../cloudformation/cdk-cli';
import { ACCOUNT, emulatorEnv, REGION } from '../support/aws-environment';
import { table } from '../support/table';
import { UsageError } from '../support/usage-error';
import { type InventoryRow, takeInventory } from './inventory';
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
  const unprotected = 'unprotectedBecause=moto has no UpdateTerminationProtection';
  const context = [unprotected, ...options.context].flatMap((pair) => ['-c', pair]);
  const moto = await startMoto();
  const interrupted = () => {
    void moto.stop().then(() => process.exit(130));
  };
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    const env = emulatorEnv(moto.endpoint);
    step(`cdk synth ${options.phase}`);
    await runCdk(['synth', options.phase, '--quiet', '--output', out, ...context], env, detail);
    step(`cdk bootstrap, against moto server at ${moto.endpoint}`);
    await runCdk(['bootstrap', `aws://${ACCOUNT}/${REGION}`, '--app', out], env, detail);
    step(`cdk deploy ${options.phase}`);
    const approval = ['--require-approval', 'never', '--progress', 'events'];
    await runCdk(['deploy', options.phase, '--app', out, ...approval], env, detail);

    const stack = readAssembly(out).find(({ id }) => id === options.phase) as AssembledStack;
    const rows = await takeInventory({
      ...stack,
      skippedTypes: await moto.skippedTypes(),
      endpoint: moto.endpoint,
      region: REGION,
    });
    console.log(options.json ? JSON.stringify(rows, null, 2) : render(rows));
    return rows.some((row) => row.verdict === 'missing' || row.verdict === 'differs') ? 1 : 0;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new Error(`${(error as Error).message}\nmoto's last lines:\n${moto.log()}`);
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    await moto.stop();
    rmSync(out, { recursive: true, force: true });
  }
}

const MARKS = { exists: '✓', differs: '≠', missing: '✗', skipped: '–' } as const;

function render(rows: readonly InventoryRow[]): string {
  const worthALine = (row: InventoryRow) =>
    row.verdict !== 'skipped' && (row.verdict !== 'exists' || hasFacts(row.asked) || hasFacts(row.found));
  const lines = rows.filter(worthALine).map((row) => {
    return [MARKS[row.verdict], shortType(row), row.path, tell(row.asked), whatExists(row)];
  });
  const others = rows.filter((row) => row.verdict === 'exists' && !worthALine(row));
  const skipped = rows.filter((row) => row.verdict === 'skipped');
  const count = (verdict: InventoryRow['verdict']) => rows.filter((row) => row.verdict === verdict).length;
  return [
    '',
    table([' ', 'type', 'construct', 'the template asks for', 'what exists'], lines),
    '',
    'There as well:',
    ...countByType(others),
    '',
    ...(skipped.length > 0
      ? ['Left out, because the emulator does not know the type:', ...countByType(skipped), '']
      : []),
    `${rows.length} resources: ${count('exists')} exist as asked, ${count('differs')} differ, ` +
      `${count('missing')} missing, ${count('skipped')} of types that the emulator does not know.`,
  ].join('\n');
}

function countByType(rows: readonly InventoryRow[]): string[] {
  const counts = new Map<string, number>();
  for (const row of rows) counts.set(shortType(row), (counts.get(shortType(row)) ?? 0) + 1);
  return [...counts].map(([type, number]) => `  ${type}${number > 1 ? ` × ${number}` : ''}`);
}

function shortType(row: InventoryRow): string {
  return row.type.replace(/^AWS::/, '');
}

/** What was asked for is not said again; what is other, or more, is. */
function whatExists(row: InventoryRow): string {
  if (row.verdict === 'missing') return 'nothing';
  const confirmed = Object.keys(row.asked).some((name) => name in row.found && !row.ignored.includes(name));
  const same = ([name, value]: [string, unknown]) => String(row.asked[name]) === String(value);
  const more = Object.fromEntries(
    Object.entries(row.found).filter((fact) => !same(fact) && !row.ignored.includes(fact[0])),
  );
  const ignored = row.ignored.length > 0 ? `emulator ignores ${row.ignored.join(', ')}` : '';
  const asAsked = confirmed && row.verdict === 'exists' ? 'as asked' : '';
  return [asAsked, tell(more), ignored].filter((part) => part !== '').join('; ') || 'listed by CloudFormation';
}

function hasFacts(facts: Facts): boolean {
  return Object.values(facts).some((value) => value !== undefined);
}

function tell(facts: Facts): string {
  return Object.entries(facts)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${value}`)
    .reduce(byLines, '');
}

/** Characters of a line in a cell: two such columns and the names fit a wide terminal. */
const LINE = 56;

function byLines(text: string, part: string): string {
  if (text === '') return part;
  const line = text.slice(text.lastIndexOf('\n') + 1);
  return `${text},${line.length + part.length + 2 > LINE ? '\n' : ' '}${part}`;
}
