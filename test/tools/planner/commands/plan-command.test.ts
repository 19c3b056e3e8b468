import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PlanOptions, plan } from '../../../../tools/planner/commands/plan-command';
import demand from '../../../../tools/planner/plan/demand.json';
import { UsageError } from '../../../../tools/support/usage-error';

jest.mock('../../../../tools/cloudformation/assembly', () => require('../../../support/shared-synth'));

const dir = mkdtempSync(join(tmpdir(), 'plan-'));
const printed = jest.spyOn(console, 'log').mockImplementation();

afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
  printed.mockRestore();
});

async function ask(more: Partial<PlanOptions> = {}): Promise<{ code: number; out: string }> {
  printed.mockClear();
  const code = await plan({ rps: 5000, survive: 'zone', region: 'us-east-1', ...more });
  return { code, out: printed.mock.calls.join('\n') };
}

function file(name: string, content: string): string {
  const path = join(dir, name);
  writeFileSync(path, content);
  return path;
}

test('prints the phase, its capacity, the deploy command and the bill of that deployment', async () => {
  const { code, out } = await ask({ rps: 40_000, cacheHitRatio: 0.5 });
  expect(code).toBe(0);
  const [, phase, upTo = ''] = /(phase-\d) .*CHOSEN, valid up to ([\d,]+) requests\/s/.exec(out) ?? [];
  expect(phase).toBe('phase-3');
  expect(Number(upTo.replaceAll(',', ''))).toBeGreaterThan(40_000);
  const [, replicas] = /^npx cdk deploy phase-3 -c size=\S+ -c servers=\d+ -c replicas=(\d+)$/m.exec(out) ?? [];
  expect(Number(replicas)).toBeGreaterThan(2);
  expect(out).toContain(`${replicas} × RDS::DBInstance`);
  expect(out).toContain('insufficient: a single machine cannot survive the loss of a zone');
});

test('prints JSON, and exits with 1 when no phase is sufficient', async () => {
  const { code, out } = await ask({ rps: 1e6, json: true });
  expect(code).toBe(1);
  const { chosen, capacityRps, phases } = JSON.parse(out);
  expect({ chosen, capacityRps }).toEqual({ chosen: undefined, capacityRps: undefined });
  expect(phases.map(({ holds }: { holds: boolean }) => holds)).toEqual([false, false, false, false]);
});

test.each<[string, () => Partial<PlanOptions>]>([
  ['--usl must be an existing file, got nowhere.json.', () => ({ usl: 'nowhere.json' })],
  ['--demand must be a JSON file, got ', () => ({ demand: file('text.json', 'not JSON') })],
  ['"sigma":0 to below 1', () => ({ usl: file('usl.json', '{"usl":{"lambda":1000,"sigma":1,"kappa":0}}') })],
  [
    '--demand must be a file with the output of "npm run bench -- demand --json", got ',
    () => ({ demand: file('demand.json', '{}') }),
  ],
  [
    '--demand must be a file with the output of "npm run bench -- demand --json", got ',
    () => ({ demand: file('before.json', JSON.stringify({ ...demand, processMib: undefined })) }),
  ],
  ['--region must be a region with prices (us-east-1), got mars-1.', () => ({ region: 'mars-1' })],
])('rejects invalid input: %s', async (message, options) => {
  const refused = ask(options());
  await expect(refused).rejects.toThrow(message);
  await expect(refused).rejects.toBeInstanceOf(UsageError);
});
