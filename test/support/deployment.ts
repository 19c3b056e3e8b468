import type { InventoryRow } from '../../tools/emulator/inventory';
import { runCommand } from './command';

/** Types whose every stated fact the emulator must state as well. */
export const COMPARED =
  /^AWS::(AutoScaling|ElasticLoadBalancingV2|ElastiCache::ReplicationGroup|SQS::Queue$|RDS::DBProxy$)/;

/** Runs `npm run deploy:local`. */
export async function deployLocal(...args: string[]) {
  const { said, ended } = runCommand(['deploy:local', ...args]);
  const status = await ended;
  return { status, ...said };
}

/** Deploys a phase; everything that the emulator supports must exist as stated. @param types some of these */
export async function expectDeployed(phase: string, types: readonly string[]): Promise<void> {
  const { status, stdout, stderr } = await deployLocal(phase, '--json');
  if (status !== 0) throw new Error(stderr);
  const rows: InventoryRow[] = JSON.parse(stdout);
  expect(rows.filter(({ verdict }) => verdict === 'missing' || verdict === 'differs')).toEqual([]);
  for (const { type, asked, found } of rows.filter((row) => COMPARED.test(row.type) && row.verdict === 'exists')) {
    const names = Object.keys(asked);
    expect({ type, compared: names.filter((name) => name in found) }).toEqual({ type, compared: names });
  }
  const there = rows.filter(({ verdict }) => verdict === 'exists').map(({ type }) => type);
  expect(there).toEqual(expect.arrayContaining([...types]));
  expect(stderr).toContain(`cdk deploy ${phase}`);
}
