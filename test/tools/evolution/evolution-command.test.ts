import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EvolutionOptions, evolution } from '../../../tools/evolution/evolution-command';
import { UsageError } from '../../../tools/support/usage-error';

jest.mock('../../../tools/cloudformation/assembly', () => require('../../support/shared-synth'));

const BEFORE = join(__dirname, 'fixtures', 'todo-before.json');
const AFTER = join(__dirname, 'fixtures', 'todo-after.json');
const dir = mkdtempSync(join(tmpdir(), 'evolution-test-'));
afterAll(() => rmSync(dir, { recursive: true }));

const printed = jest.spyOn(console, 'log').mockImplementation();

async function run(options: Partial<EvolutionOptions>): Promise<{ code: number; text: string }> {
  printed.mockClear();
  const code = await evolution({ phases: [], context: [], format: 'text', ...options });
  return { code, text: printed.mock.calls.flat().join('\n') };
}

function file(name: string, content: unknown): string {
  const path = join(dir, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

/** Writes the `cdk synth` output of two stacks, one of them in a stage. */
function cdkOut(name: string, memory: number): string {
  const out = join(dir, name);
  const template = { Resources: { Fn1: { Type: 'AWS::Lambda::Function', Properties: { MemorySize: memory } } } };
  const stack = (templateFile: string) => ({ type: 'aws:cloudformation:stack', properties: { templateFile } });
  mkdirSync(join(out, 'prod'), { recursive: true });
  writeFileSync(join(out, 'api.json'), JSON.stringify(template));
  writeFileSync(join(out, 'prod', 'api.json'), JSON.stringify(template));
  const metadata = { '/api/Handler/Resource': [{ type: 'aws:cdk:logicalId', data: 'Fn1' }] };
  const stage = { type: 'cdk:cloud-assembly', properties: { directoryName: 'prod' } };
  writeFileSync(
    join(out, 'manifest.json'),
    JSON.stringify({ artifacts: { api: { ...stack('api.json'), metadata }, 'assembly-prod': stage } }),
  );
  writeFileSync(
    join(out, 'prod', 'manifest.json'),
    JSON.stringify({ artifacts: { prodapi: { ...stack('api.json'), displayName: 'prod/api' } } }),
  );
  return out;
}

describe('templates of any app', () => {
  test('that fail the gate give exit code 1, one line per finding and one row per change', async () => {
    const { code, text } = await run({ before: BEFORE, after: AFTER });
    expect(code).toBe(1);
    expect(text).toMatch(/todo-after\.json: red\n/);
    expect(text).toContain('  state: Todos: AWS::DynamoDB::Table is replaced because of KeySchema');
    expect(text).toMatch(/^replaced {2}Todos +DynamoDB::Table +KeySchema.*retained outside the stack$/m);
    expect(text).toMatch(
      /^replaced {2}Cluster3B5D +ECS::Cluster +ClusterName; stateless, and the new resource is created first$/m,
    );
    expect(text).toContain('1 more kept: IAM::Role');
  });

  test('without removals give exit code 0', async () => {
    expect(await run({ before: BEFORE, after: BEFORE })).toMatchObject({
      code: 0,
      text: expect.stringMatching(/: green/),
    });
  });

  test('may lose the resources in a manifest file, and the report shows the reasons', async () => {
    const reason = 'copied to the new one beforehand';
    const allow = file('allow.json', {
      resources: {
        Todos5A8B1C9D: { fate: 'replaced', policy: 'Retain', reason },
        AttachmentsD4C0A1F2: { fate: 'removed', policy: 'Retain', reason },
      },
      names: { Cluster3B5D: reason },
    });
    const { code, text } = await run({ before: BEFORE, after: AFTER, allow });
    expect(code).toBe(1);
    expect(text).not.toContain('state: ');
    expect(text).toContain('output: TableName');
    expect(text).toContain(`retained outside the stack: ${reason}`);
  });

  test('are reported as JSON and as Markdown', async () => {
    const json = JSON.parse((await run({ before: BEFORE, after: AFTER, format: 'json' })).text);
    expect(json.gate).toBe('red');
    expect(json.steps[0].counts).toMatchObject({ kept: 1, changed: 3, replaced: 2, removed: 1, added: 1 });
    expect(json.steps[0].changes[0]).toMatchObject({ id: 'Todos5A8B1C9D', fate: 'replaced', stateful: true });
    const { text } = await run({ before: BEFORE, after: AFTER, format: 'markdown' });
    expect(text).toMatch(/^### .*: red$/m);
    expect(text).toMatch(/^\| replaced \| Todos \| DynamoDB::Table \| KeySchema; retained outside the stack \|$/m);
  });

  test('in output folders of cdk synth are compared stack by stack, including stages', async () => {
    const [before, after] = [cdkOut('one', 128), cdkOut('two', 256)];
    const { text } = await run({ before, after });
    expect(text).toMatch(/^api -> api +1 +green/m);
    expect(text).toMatch(/^prod\/api -> prod\/api +1 +green/m);
    expect((await run({ before, after, stack: 'api' })).text).toMatch(/^changed {2}Handler +Lambda::Function/m);
  });
});

describe('a step between phases', () => {
  const phase = (value: string) => file(`phase-${value}.json`, { Resources: {}, Outputs: { Phase: { Value: value } } });

  test('gives exit code 1 if the user names it and it is refused', async () => {
    const { code, text } = await run({ phases: ['phase-3'], against: phase('1') });
    expect(code).toBe(1);
    expect(text).toContain('deploy: refused: the orders are on the instance, which the deploy would terminate');
  });

  test('requires the output Phase', async () => {
    await expect(run({ against: file('no-phase.json', { Resources: {} }) })).rejects.toThrow(
      'the stack has no output Phase',
    );
  });
});

test.each<[Partial<EvolutionOptions>, string]>([
  [{ after: AFTER }, '--after requires --before.'],
  [{ before: BEFORE, against: BEFORE }, '--before and --against cannot be combined.'],
  [
    { before: BEFORE, after: file('a.yaml', 'Resources:\n  A: !Reff B') },
    `--after must be a template (JSON or YAML) or a cloud assembly (cdk.out), got ${join(dir, 'a.yaml')}: line 2, column 6: Unresolved tag: !Reff`,
  ],
  [{ before: BEFORE, after: file('empty.json', {}) }, 'empty.json: has no Resources'],
  [{ before: BEFORE, after: dir }, ': contains no manifest.json, so it is not a cloud assembly (cdk.out)'],
  [{ before: BEFORE, after: AFTER, allow: file('a.json', { resource: {} }) }, 'a.json: /resource: Unexpected property'],
  [
    { before: BEFORE, after: AFTER, allow: file('b.json', { outputs: { A: 'short' } }) },
    'b.json: /outputs/A: Expected',
  ],
  [
    { before: cdkOut('three', 1), after: cdkOut('four', 1), stack: 'web' },
    '--stack must name a stack in both sources, got web.',
  ],
  [{ phases: ['phase-9'], against: BEFORE }, 'phase must be one of phase-1, phase-2, phase-3, phase-4, got phase-9.'],
  [{ phases: ['phase-2'] }, 'phases must be two phases (before and after) or none (every step), got phase-2.'],
])('rejects %j', async (options, message) => {
  await expect(run(options)).rejects.toThrow(UsageError);
  await expect(run(options)).rejects.toThrow(message);
});
