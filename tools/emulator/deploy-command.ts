import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AssembledStack, readAssembly } from '../cloudformation/assembly';
import { runCdk } from '../cloudformation/cdk-cli';
import { shortType } from '../cloudformation/template';
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
 * Runs the command `deploy:local`: the real `cdk bootstrap` and `cdk deploy` against a new emulator, then an inventory of the
 * resources. Returns the exit code: 1 if a resource of a supported type is missing or differs from the template.
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
    throw new Error(`${(error as Error).message}\nLast lines of moto's log:\n${moto.log()}`);
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    await moto.stop();
    rmSync(out, { recursive: true, force: true });
  }
}

const MARKS = { exists: '✓', differs: '≠', missing: '✗', skipped: '–' } as const;

function render(rows: readonly InventoryRow[]): string {
  const isListed = (row: InventoryRow) =>
    row.verdict !== 'skipped' && (row.verdict !== 'exists' || hasFacts(row.asked) || hasFacts(row.found));
  const lines = rows.filter(isListed).map((row) => {
    return [MARKS[row.verdict], shortType(row.type), row.path, formatFacts(row.asked), actualState(row)];
  });
  const others = rows.filter((row) => row.verdict === 'exists' && !isListed(row));
  const skipped = rows.filter((row) => row.verdict === 'skipped');
  const count = (verdict: InventoryRow['verdict']) => rows.filter((row) => row.verdict === verdict).length;
  return [
    '',
    table([' ', 'type', 'construct', 'template', 'emulator'], lines),
    '',
    'Also created:',
    ...countByType(others),
    '',
    ...(skipped.length > 0 ? ['Skipped, types that the emulator does not support:', ...countByType(skipped), ''] : []),
    `${rows.length} resources: ${count('exists')} match the template, ${count('differs')} differ, ` +
      `${count('missing')} missing, ${count('skipped')} skipped (unsupported type).`,
  ].join('\n');
}

function countByType(rows: readonly InventoryRow[]): string[] {
  const counts = new Map<string, number>();
  for (const { type } of rows) counts.set(shortType(type), (counts.get(shortType(type)) ?? 0) + 1);
  return [...counts].map(([type, number]) => `  ${type}${number > 1 ? ` × ${number}` : ''}`);
}

/** Describes the resource in the emulator: only the facts that differ from the template or are not in it. */
function actualState(row: InventoryRow): string {
  if (row.verdict === 'missing') return 'missing';
  const confirmed = Object.keys(row.asked).some((name) => name in row.found && !row.ignored.includes(name));
  const same = ([name, value]: [string, unknown]) => String(row.asked[name]) === String(value);
  const others = Object.fromEntries(
    Object.entries(row.found).filter((fact) => !same(fact) && !row.ignored.includes(fact[0])),
  );
  const ignored = row.ignored.length > 0 ? `emulator ignores ${row.ignored.join(', ')}` : '';
  const matches = confirmed && row.verdict === 'exists' ? 'matches' : '';
  return [matches, formatFacts(others), ignored].filter((part) => part !== '').join('; ') || 'listed by CloudFormation';
}

function hasFacts(facts: Facts): boolean {
  return Object.values(facts).some((value) => value !== undefined);
}

function formatFacts(facts: Facts): string {
  return Object.entries(facts)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${value}`)
    .reduce(appendWrapped, '');
}

/** Maximum line length in a cell. Two such columns and the names fit a wide terminal. */
const LINE = 56;

function appendWrapped(text: string, part: string): string {
  if (text === '') return part;
  const line = text.slice(text.lastIndexOf('\n') + 1);
  return `${text},${line.length + part.length + 2 > LINE ? '\n' : ' '}${part}`;
}
