import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { evolution } from '../../../tools/evolution/evolution-command';

/** Runs the gate on the app of `cdk init sample-app`: a queue that is subscribed to a topic. */
const MODULES = resolve(__dirname, '../../../node_modules');
const dir = mkdtempSync(join(tmpdir(), 'foreign-'));
const app = join(dir, 'sample');
const source = join(app, 'lib', 'sample-stack.ts');
const printed = jest.spyOn(console, 'log').mockImplementation();
let original: string;

beforeAll(() => {
  mkdirSync(app);
  const cdk = join(MODULES, 'aws-cdk', 'bin', 'cdk');
  execFileSync(process.execPath, [cdk, 'init', 'sample-app', '--language', 'typescript', '--generate-only'], {
    cwd: app,
    stdio: 'ignore',
  });
  symlinkSync(MODULES, join(app, 'node_modules'));
  original = readFileSync(source, 'utf8');
  synth('before', original);
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

function synth(name: string, text: string): string {
  writeFileSync(source, text);
  const out = join(dir, name);
  execFileSync(process.execPath, ['--import', 'tsx', 'bin/sample.ts'], {
    cwd: app,
    env: { ...process.env, CDK_OUTDIR: out },
  });
  return out;
}

async function evolutionOf(name: string, from: string, to: string): Promise<{ code: number; text: string }> {
  expect(original).toContain(from);
  const after = synth(name, original.replace(from, to));
  printed.mockClear();
  const code = await evolution({ phases: [], context: [], format: 'text', before: join(dir, 'before'), after });
  return { code, text: printed.mock.calls.flat().join('\n') };
}

test('a changed queue setting is an update in place', async () => {
  const { code, text } = await evolutionOf('slower', 'Duration.seconds(300)', 'Duration.seconds(600)');
  expect(text).toMatch(/changed +\S*SampleQueue +SQS::Queue +VisibilityTimeout/);
  expect(code).toBe(0);
});

test('a change to a FIFO queue replaces the queue and loses its messages', async () => {
  const { code, text } = await evolutionOf('fifo', 'Duration.seconds(300)', 'Duration.seconds(300), fifo: true');
  expect(text).toContain('AWS::SQS::Queue is replaced because of FifoQueue');
  expect(code).toBe(1);
});

test('a renamed construct is a new queue', async () => {
  const { code, text } = await evolutionOf('renamed', "'SampleQueue'", "'Orders'");
  expect(text).toMatch(/AWS::SQS::Queue is removed and .*Orders is new/);
  expect(code).toBe(1);
});
