import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, CfnOutput, Duration, NestedStack, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AttributeType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Queue, type QueueProps } from 'aws-cdk-lib/aws-sqs';
import { evolution } from '../../../tools/evolution/evolution-command';

const dir = mkdtempSync(join(tmpdir(), 'nested-'));
afterAll(() => rmSync(dir, { recursive: true }));

const printed = jest.spyOn(console, 'log').mockImplementation();
let count = 0;

interface Shop {
  readonly queue?: QueueProps;
  readonly work?: QueueProps;
  readonly deepQueue?: QueueProps;
  readonly withDeep?: boolean;
  readonly withOutput?: boolean;
}

/** Synthesizes three stacks nested in each other, each with a queue of the same logical id. */
function synth({ queue, work: workQueue, deepQueue, withDeep = true, withOutput = true }: Shop): string {
  count += 1;
  const app = new App({ outdir: join(dir, String(count)) });
  const shop = new Stack(app, 'shop');
  const jobs = new NestedStack(shop, 'Jobs');
  const own = new Queue(shop, 'Queue', queue);
  const work = new Queue(jobs, 'Queue', workQueue);
  const partitionKey = { name: 'id', type: AttributeType.STRING };
  new Table(shop, 'Archive', { tableName: `archive-${work.queueName}`, partitionKey });
  if (withDeep) {
    const deep = new NestedStack(jobs, 'Deep');
    new Queue(deep, 'Queue', deepQueue);
    // A parameter through both stacks: a new queue of the parent renames this table.
    new Table(deep, 'Table', {
      tableName: `orders-${own.queueName}`,
      partitionKey,
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }
  if (withOutput) new CfnOutput(shop, 'Work', { value: work.queueUrl });
  return app.synth().directory;
}

async function run(before: string, after: string, allow?: object) {
  printed.mockClear();
  if (allow) writeFileSync(join(dir, 'allow.json'), JSON.stringify(allow));
  const code = await evolution({
    ...{ phases: [], context: [], format: 'json', before, after },
    ...(allow ? { allow: join(dir, 'allow.json') } : {}),
  });
  const { steps } = JSON.parse(printed.mock.calls.flat().join('\n'));
  expect(steps).toHaveLength(1);
  const [{ findings, changes, counts }] = steps as [
    {
      findings: { rule: string; path: string; message: string; id: string }[];
      changes: { path: string; fate: string }[];
      counts: object;
    },
  ];
  const messages = findings.map(({ rule, path, message }) => `${rule}: ${path}: ${message}`);
  return { code, messages, findings, counts, fates: Object.fromEntries(changes.map(({ path, fate }) => [path, fate])) };
}

const base = synth({});

test('changes in nested stacks are listed with the parent, by construct path', async () => {
  const { code, fates } = await run(base, synth({ deepQueue: { visibilityTimeout: Duration.minutes(1) } }));
  expect(code).toBe(0);
  expect(fates).toMatchObject({
    Queue: 'kept',
    Jobs: 'changed',
    'Jobs/Queue': 'kept',
    'Jobs/Deep': 'changed',
    'Jobs/Deep/Queue': 'changed',
  });
});

test('a replacement in a nested stack is a finding', async () => {
  const { code, messages } = await run(base, synth({ deepQueue: { fifo: true } }));
  expect(code).toBe(1);
  expect(messages).toEqual([
    'state: Jobs/Deep/Queue: AWS::SQS::Queue is replaced because of FifoQueue; the old one is deleted',
  ]);
});

test('a replacement in the parent changes the parameters of a nested stack', async () => {
  const { messages } = await run(base, synth({ queue: { fifo: true } }));
  expect(messages).toEqual([
    'state: Queue: AWS::SQS::Queue is replaced because of FifoQueue; the old one is deleted',
    'state: Jobs/Deep/Table: AWS::DynamoDB::Table is replaced because of TableName; the old one is retained outside the stack',
  ]);
});

test('a replacement in a nested stack changes the resources that read its outputs', async () => {
  const { messages } = await run(base, synth({ work: { fifo: true } }));
  expect(messages).toEqual([
    expect.stringMatching(/^state: Archive: AWS::DynamoDB::Table is replaced because of TableName/),
    'state: Jobs/Queue: AWS::SQS::Queue is replaced because of FifoQueue; the old one is deleted',
  ]);
});

test('removing a nested stack removes its resources', async () => {
  const { messages } = await run(base, synth({ withDeep: false }));
  expect(messages).toEqual([
    'state: Jobs/Deep: AWS::CloudFormation::Stack is removed and deleted',
    'state: Jobs/Deep/Queue: AWS::SQS::Queue is removed and deleted',
    'state: Jobs/Deep/Table: AWS::DynamoDB::Table is removed and retained outside the stack',
    expect.stringMatching(/^name: Jobs\/Deep\/Table: physical name .* is removed$/),
  ]);
});

test('an output of a nested stack that only the parent reads may be removed together with its reader', async () => {
  const { messages } = await run(base, synth({ withOutput: false }));
  expect(messages).toEqual(['output: Work: output Work is removed, which breaks its readers']);
});

test('a manifest names resources of nested stacks with the ids of the parents', async () => {
  const after = synth({ deepQueue: { fifo: true } });
  const { id = '' } = (await run(base, after)).findings[0] ?? {};
  expect(id).toMatch(/^JobsNestedStack\w+\/DeepNestedStack\w+\/Queue\w+$/);
  const reason = 'drained before the deploy';
  const resources = { [id]: { fate: 'replaced', policy: 'Delete', reason } };
  expect(await run(base, after, { resources })).toMatchObject({ code: 0, messages: [] });
  expect((await run(base, base, { resources })).messages).toEqual([
    `manifest: Jobs/Deep/${id.split('/').at(-1)}: the manifest allows it to be replaced, but it is kept`,
  ]);
});

test('a nested stack that cannot be read is a finding unless the manifest allows it', async () => {
  const broken = join(dir, 'broken');
  cpSync(base, broken, { recursive: true });
  const { files } = JSON.parse(readFileSync(join(broken, 'shop.assets.json'), 'utf8')) as {
    files: Record<string, { displayName: string; source: { path: string } }>;
  };
  const deep = Object.values(files).find(({ displayName }) => displayName.startsWith('Jobs/Deep'));
  rmSync(join(broken, deep?.source.path as string));
  const { code, messages, findings } = await run(base, broken);
  expect(code).toBe(1);
  expect(messages).toEqual([
    `nested: Jobs/Deep: changes in this nested stack are unknown: ${deep?.source.path} does not exist`,
  ]);
  const nested = { [findings[0]?.id as string]: 'owned by another team, with its own gate' };
  expect((await run(base, broken, { nested })).code).toBe(0);
  expect((await run(base, base, { nested })).messages).toEqual([
    expect.stringContaining('the manifest allows it to stay unread, but it is not an unreadable nested stack'),
  ]);
});
