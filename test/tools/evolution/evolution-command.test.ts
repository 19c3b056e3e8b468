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

const said = jest.spyOn(console, 'log').mockImplementation();

async function run(options: Partial<EvolutionOptions>): Promise<{ code: number; text: string }> {
  said.mockClear();
  const code = await evolution({ phases: [], context: [], format: 'text', ...options });
  return { code, text: said.mock.calls.flat().join('\n') };
}

function file(name: string, content: unknown): string {
  const path = join(dir, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

/** What `cdk synth` leaves behind for two stacks, one of them in a stage. */
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

describe('any app’s templates', () => {
  test('are red, with exit code 1, one line for each finding and a row for each change', async () => {
    const { code, text } = await run({ before: BEFORE, after: AFTER });
    expect(code).toBe(1);
    expect(text).toMatch(/todo-after\.json: red\n/);
    expect(text).toContain('  state: Todos: AWS::DynamoDB::Table is replaced by KeySchema');
    expect(text).toMatch(/^replaced {2}Todos +DynamoDB::Table +KeySchema.*kept outside of the stack$/m);
    expect(text).toMatch(/^replaced {2}Cluster3B5D +ECS::Cluster +ClusterName; it holds no state, and the new one/m);
    expect(text).toContain('1 more kept: IAM::Role');
  });

  test('are green, with exit code 0, where nothing goes', async () => {
    expect(await run({ before: BEFORE, after: BEFORE })).toMatchObject({
      code: 0,
      text: expect.stringMatching(/: green/),
    });
  });

  test('may lose what a file says, with a reason', async () => {
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
    expect(text).toContain(`kept outside of the stack: ${reason}`);
  });

  test('are told as JSON, and as Markdown for a pull request', async () => {
    const json = JSON.parse((await run({ before: BEFORE, after: AFTER, format: 'json' })).text);
    expect(json.gate).toBe('red');
    expect(json.steps[0].counts).toMatchObject({ kept: 1, changed: 3, replaced: 2, removed: 1, added: 1 });
    expect(json.steps[0].changes[0]).toMatchObject({ id: 'Todos5A8B1C9D', fate: 'replaced', stateful: true });
    const { text } = await run({ before: BEFORE, after: AFTER, format: 'markdown' });
    expect(text).toMatch(/^### .*: red$/m);
    expect(text).toMatch(/^\| replaced \| Todos \| DynamoDB::Table \| KeySchema; kept outside of the stack \|$/m);
  });

  test('of output folders of cdk synth are compared stack by stack, also those of stages', async () => {
    const [before, after] = [cdkOut('one', 128), cdkOut('two', 256)];
    const { text } = await run({ before, after });
    expect(text).toMatch(/^api -> api +1 +green/m);
    expect(text).toMatch(/^prod\/api -> prod\/api +1 +green/m);
    expect((await run({ before, after, stack: 'api' })).text).toMatch(/^changed {2}Handler +Lambda::Function/m);
  });
});

describe('a step of the shop', () => {
  const phase = (value: string) => file(`phase-${value}.json`, { Resources: {}, Outputs: { Phase: { Value: value } } });

  test('that is refused has exit code 1 when it is asked for, whatever the gate would say', async () => {
    const { code, text } = await run({ phases: ['phase-3'], against: phase('1') });
    expect(code).toBe(1);
    expect(text).toContain('deploy: refused: the orders are on the box');
  });

  test('without a word which phase it is cannot be judged', async () => {
    await expect(run({ against: file('no-phase.json', { Resources: {} }) })).rejects.toThrow('has no output Phase');
  });
});

test.each<[Partial<EvolutionOptions>, string]>([
  [{ after: AFTER }, 'needs --before as well'],
  [{ before: BEFORE, against: BEFORE }, '--before, --against: allowed is one of them'],
  [
    { before: BEFORE, after: file('a.yaml', 'Resources:\n  A: !Reff B') },
    'a.yaml: line 2, column 6: Unresolved tag: !Reff; allowed is a template as JSON or YAML, or a folder that cdk synth wrote',
  ],
  [{ before: BEFORE, after: file('empty.json', {}) }, 'has no Resources; allowed is a template'],
  [{ before: BEFORE, after: dir }, 'there is no manifest.json in it, which cdk synth would have written; allowed is'],
  [{ before: BEFORE, after: AFTER, allow: file('a.json', { resource: {} }) }, 'a.json: /resource: Unexpected property'],
  [
    { before: BEFORE, after: AFTER, allow: file('b.json', { outputs: { A: 'short' } }) },
    'b.json: /outputs/A: Expected',
  ],
  [{ before: cdkOut('three', 1), after: cdkOut('four', 1), stack: 'web' }, '--stack web: no stack is in both'],
  [{ phases: ['phase-9'], against: BEFORE }, 'phase-9: allowed is phase-1, phase-2, phase-3, phase-4'],
  [{ phases: ['phase-2'] }, 'phase-2: allowed are two phases'],
])('refuses %j', async (options, message) => {
  await expect(run(options)).rejects.toThrow(UsageError);
  await expect(run(options)).rejects.toThrow(message);
});
