import type { InventoryRow } from '../../tools/emulator/inventory';
import { runCommand } from './command';

/** Resource types for which the emulator must report every property of the template. */
export const COMPARED =
  /^AWS::(AutoScaling|ElasticLoadBalancingV2|ElastiCache::ReplicationGroup|SQS::Queue$|RDS::DBProxy$)/;

/** Runs `npm run deploy:local`. */
export async function deployLocal(...args: string[]) {
  const { output, exitCode } = runCommand(['deploy:local', ...args]);
  const status = await exitCode;
  return { status, ...output };
}

/** Deploys a phase and checks each resource that the emulator supports. @param types resource types that must exist */
export async function expectDeployed(phase: string, types: readonly string[]): Promise<void> {
  const { status, stdout, stderr } = await deployLocal(phase, '--json');
  if (status !== 0) throw new Error(stderr);
  const rows: InventoryRow[] = JSON.parse(stdout);
  expect(rows.filter(({ verdict }) => verdict === 'missing' || verdict === 'differs')).toEqual([]);
  for (const { type, asked, found } of rows.filter((row) => COMPARED.test(row.type) && row.verdict === 'exists')) {
    const names = Object.keys(asked);
    expect({ type, compared: names.filter((name) => name in found) }).toEqual({ type, compared: names });
  }
  const existing = rows.filter(({ verdict }) => verdict === 'exists').map(({ type }) => type);
  expect(existing).toEqual(expect.arrayContaining([...types]));
  expect(stderr).toContain(`cdk deploy ${phase}`);
}
