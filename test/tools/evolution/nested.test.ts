import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, CfnOutput, Duration, NestedStack, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AttributeType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Queue, type QueueProps } from 'aws-cdk-lib/aws-sqs';
import { evolution } from '../../../tools/evolution/evolution-command';

const dir = mkdtempSync(join(tmpdir(), 'nested-'));
afterAll(() => rmSync(dir, { recursive: true }));

const said = jest.spyOn(console, 'log').mockImplementation();
let count = 0;

interface Shop {
  readonly queue?: QueueProps;
  readonly work?: QueueProps;
  readonly deepQueue?: QueueProps;
  readonly withDeep?: boolean;
  readonly withOutput?: boolean;
}

/** What `cdk synth` leaves of a stack with a stack in it that has one in it, each with a queue of the same logical id. */
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
    // Handed down through both: another queue of the shop is a table of another name.
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
  said.mockClear();
  if (allow) writeFileSync(join(dir, 'allow.json'), JSON.stringify(allow));
  const code = await evolution({
    ...{ phases: [], context: [], format: 'json', before, after },
    ...(allow ? { allow: join(dir, 'allow.json') } : {}),
  });
  const { steps } = JSON.parse(said.mock.calls.flat().join('\n'));
  expect(steps).toHaveLength(1);
  const [{ findings, changes, counts }] = steps as [
    {
      findings: { rule: string; path: string; message: string; id: string }[];
      changes: { path: string; fate: string }[];
      counts: object;
    },
  ];
  const told = findings.map(({ rule, path, message }) => `${rule}: ${path}: ${message}`);
  return { code, told, findings, counts, fates: Object.fromEntries(changes.map(({ path, fate }) => [path, fate])) };
}

const usual = synth({});

test('stacks in stacks are told with their parent, by the paths of their constructs', async () => {
  const { code, fates } = await run(usual, synth({ deepQueue: { visibilityTimeout: Duration.minutes(1) } }));
  expect(code).toBe(0);
  expect(fates).toMatchObject({
    Queue: 'kept',
    Jobs: 'changed',
    'Jobs/Queue': 'kept',
    'Jobs/Deep': 'changed',
    'Jobs/Deep/Queue': 'changed',
  });
});

test('what is replaced in a nested stack is found', async () => {
  const { code, told } = await run(usual, synth({ deepQueue: { fifo: true } }));
  expect(code).toBe(1);
  expect(told).toEqual(['state: Jobs/Deep/Queue: AWS::SQS::Queue is replaced by FifoQueue, and deleted']);
});

test('what is replaced around a nested stack changes what is handed down to it', async () => {
  const { told } = await run(usual, synth({ queue: { fifo: true } }));
  expect(told).toEqual([
    'state: Queue: AWS::SQS::Queue is replaced by FifoQueue, and deleted',
    'state: Jobs/Deep/Table: AWS::DynamoDB::Table is replaced by TableName, and kept outside of the stack',
  ]);
});

test('what is replaced in a nested stack changes who reads its outputs', async () => {
  const { told } = await run(usual, synth({ work: { fifo: true } }));
  expect(told).toEqual([
    expect.stringMatching(/^state: Archive: AWS::DynamoDB::Table is replaced by TableName/),
    'state: Jobs/Queue: AWS::SQS::Queue is replaced by FifoQueue, and deleted',
  ]);
});

test('a nested stack that goes takes with it what is not kept', async () => {
  const { told } = await run(usual, synth({ withDeep: false }));
  expect(told).toEqual([
    'state: Jobs/Deep: AWS::CloudFormation::Stack is removed, and deleted',
    'state: Jobs/Deep/Queue: AWS::SQS::Queue is removed, and deleted',
    'state: Jobs/Deep/Table: AWS::DynamoDB::Table is removed, and kept outside of the stack',
    expect.stringMatching(/^name: Jobs\/Deep\/Table: nothing is named/),
  ]);
});

test('an output that only the parent reads may go with whoever reads it', async () => {
  const { told } = await run(usual, synth({ withOutput: false }));
  expect(told).toEqual(['output: Work: the output Work goes: whoever reads it finds nothing']);
});

test('what may go in a nested stack is said with the ids of the stacks around it', async () => {
  const after = synth({ deepQueue: { fifo: true } });
  const { id = '' } = (await run(usual, after)).findings[0] ?? {};
  expect(id).toMatch(/^JobsNestedStack\w+\/DeepNestedStack\w+\/Queue\w+$/);
  const reason = 'drained before the deploy';
  const resources = { [id]: { fate: 'replaced', policy: 'Delete', reason } };
  expect(await run(usual, after, { resources })).toMatchObject({ code: 0, told: [] });
  expect((await run(usual, usual, { resources })).told).toEqual([
    `manifest: Jobs/Deep/${id.split('/').at(-1)}: may be replaced, yet is kept`,
  ]);
});

test('a nested stack that cannot be read is a finding, unless it is said that it may', async () => {
  const broken = join(dir, 'broken');
  cpSync(usual, broken, { recursive: true });
  const { files } = JSON.parse(readFileSync(join(broken, 'shop.assets.json'), 'utf8')) as {
    files: Record<string, { displayName: string; source: { path: string } }>;
  };
  const deep = Object.values(files).find(({ displayName }) => displayName.startsWith('Jobs/Deep'));
  rmSync(join(broken, deep?.source.path as string));
  const { code, told, findings } = await run(usual, broken);
  expect(code).toBe(1);
  expect(told).toEqual([
    `nested: Jobs/Deep: what changes in this nested stack cannot be told: ${deep?.source.path} is not there`,
  ]);
  const nested = { [findings[0]?.id as string]: 'kept by another team, with a gate of its own' };
  expect((await run(usual, broken, { nested })).code).toBe(0);
  expect((await run(usual, usual, { nested })).told).toEqual([
    expect.stringContaining('may go unread, yet is no nested stack that cannot be read'),
  ]);
});
