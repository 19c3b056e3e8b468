import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SQS } from '@aws-sdk/client-sqs';
import { type Moto, startMoto } from '../../tools/emulator/moto';
import { type ShopProcess, startShop } from '../../tools/rehearsal/programs/shop-process';
import { describeWith } from '../support/needs';
import { eventually, isAlive, makeUsers, serverEnv, sql, TestBed } from '../support/shop';

/** Background jobs over SQS: each job takes effect exactly once, despite killed workers. */
let testBed: TestBed;

beforeAll(async () => {
  testBed = await TestBed.open();
});

afterAll(() => testBed?.close());

async function refusedWorker(env: Record<string, string>): Promise<string> {
  const start = startShop({ bundle: testBed.bundle, entry: 'worker', log: join(testBed.dir, 'refused.log'), env });
  return start.then(
    () => 'started',
    (error) => error.message,
  );
}

test('a worker without a queue exits with a one-line error', async () => {
  expect(await refusedWorker(serverEnv(await testBed.database()))).toContain('QUEUE_URL: must be set for a worker');
});

describeWith('moto server', 'with a queue', () => {
  let moto: Moto;
  let sqs: SQS;
  let aws: Record<string, string>;
  const alive = new Set<ShopProcess>();

  beforeAll(async () => {
    moto = await startMoto();
    aws = {
      AWS_ENDPOINT_URL: moto.endpoint,
      AWS_REGION: 'eu-west-1',
      AWS_ACCESS_KEY_ID: 'x',
      AWS_SECRET_ACCESS_KEY: 'x',
    };
    const credentials = { accessKeyId: 'x', secretAccessKey: 'x' };
    sqs = new SQS({ endpoint: moto.endpoint, region: 'eu-west-1', credentials });
  });

  const killWorkers = () => {
    for (const worker of alive) if (isAlive(worker.pid)) process.kill(worker.pid, 'SIGKILL');
    alive.clear();
  };

  afterEach(killWorkers);
  // Concurrent tests do not support afterEach.
  afterAll(killWorkers);

  afterAll(async () => {
    sqs?.destroy();
    await moto?.stop();
  });

  /** Creates a queue and its dead-letter queue. */
  async function makeQueue(
    name: string,
    visibilityTimeout: number,
    tries: number,
  ): Promise<{ url: string; deadLetterUrl: string }> {
    const { QueueUrl: deadLetterUrl = '' } = await sqs.createQueue({ QueueName: `${name}-dead` });
    const { Attributes } = await sqs.getQueueAttributes({ QueueUrl: deadLetterUrl, AttributeNames: ['QueueArn'] });
    const { QueueUrl: url = '' } = await sqs.createQueue({
      QueueName: name,
      Attributes: {
        VisibilityTimeout: String(visibilityTimeout),
        RedrivePolicy: JSON.stringify({ deadLetterTargetArn: Attributes?.QueueArn, maxReceiveCount: tries }),
      },
    });
    return { url, deadLetterUrl };
  }

  async function startWorker(database: string, queue: string, env: Record<string, string> = {}): Promise<ShopProcess> {
    const log = join(testBed.dir, 'worker.log');
    const settings = serverEnv(database, { ...aws, QUEUE_URL: queue, ...env });
    const worker = await startShop({ bundle: testBed.bundle, entry: 'worker', log, env: settings });
    alive.add(worker);
    return worker;
  }

  /** Creates a database with `count` orders without receipts. Each new receipt adds a row to `effects`. */
  async function withJobs(count: number, secondsEach: number): Promise<string> {
    const database = await testBed.database();
    await (await testBed.serve(database)).process.stop();
    const [email] = await makeUsers(database, 1);
    await sql(
      database,
      `CREATE TABLE effects (order_id uuid);
       CREATE FUNCTION note() RETURNS trigger AS $$
       BEGIN PERFORM pg_sleep(${secondsEach}); INSERT INTO effects VALUES (new.id); RETURN new; END $$ LANGUAGE plpgsql;
       CREATE TRIGGER note BEFORE UPDATE OF status ON orders FOR EACH ROW EXECUTE FUNCTION note()`,
    );
    await sql(
      database,
      `WITH placed AS (
         INSERT INTO orders (user_id, idempotency_key, total_cents)
         SELECT id, 'order ' || number, 100 FROM users, generate_series(1, $2::int) AS number WHERE email = $1 RETURNING id
       ) INSERT INTO jobs (kind, order_id) SELECT 'receipt', id FROM placed`,
      [email, count],
    );
    return database;
  }

  const remainingJobs = async (database: string) => Number((await sql(database, 'SELECT count(*) FROM jobs'))[0].count);

  const inQueue = async (url: string) => {
    const AttributeNames = ['ApproximateNumberOfMessages' as const, 'ApproximateNumberOfMessagesNotVisible' as const];
    const { Attributes } = await sqs.getQueueAttributes({ QueueUrl: url, AttributeNames });
    return Object.values(Attributes ?? {}).reduce((sum, value) => sum + Number(value), 0);
  };

  test('500 jobs take effect exactly once each while workers are continuously killed with -9', async () => {
    const JOBS = 500;
    const database = await withJobs(JOBS, 0.05);
    const { url } = await makeQueue('killed', 2, 50);
    const server = await testBed.serve(database, { ...aws, QUEUE_URL: url });
    const workers = await Promise.all([1, 2, 3].map(() => startWorker(database, url)));
    let kills = 0;
    while ((await remainingJobs(database)) > 0 && kills < 60) {
      await sleep(200 + Math.random() * 400);
      const victim = workers.splice(Math.floor(Math.random() * workers.length), 1)[0] as ShopProcess;
      process.kill(victim.pid, 'SIGKILL');
      kills += 1;
      workers.push(await startWorker(database, url));
    }
    expect(kills).toBeGreaterThan(3);
    // Messages of killed workers reappear, and their jobs are already done.
    await eventually(async () => (await inQueue(url)) === 0);
    const counts = await sql(database, 'SELECT order_id, count(*)::int AS times FROM effects GROUP BY order_id');
    expect(counts).toHaveLength(JOBS);
    expect(counts.filter(({ times }) => times !== 1)).toEqual([]);
    expect(await sql(database, `SELECT 1 FROM orders WHERE status <> 'fulfilled'`)).toEqual([]);
    await server.process.stop();
  });

  test('a job that exceeds the visibility timeout is not started by another worker', async () => {
    const database = await withJobs(1, 4);
    const { url } = await makeQueue('long', 1, 2);
    const server = await testBed.serve(database, { ...aws, QUEUE_URL: url });
    await Promise.all([startWorker(database, url), startWorker(database, url)]);
    await eventually(async () => (await remainingJobs(database)) === 0);
    await eventually(async () => (await inQueue(url)) === 0);
    const { Messages } = await sqs.receiveMessage({ QueueUrl: url, WaitTimeSeconds: 1 });
    expect(Messages ?? []).toEqual([]);
    await server.process.stop();
  });

  // Concurrently, because the tests mostly wait.
  test.concurrent('an order placed on a server is fulfilled only once a worker runs', async () => {
    const database = await testBed.database();
    const { url } = await makeQueue('journey', 30, 5);
    const shop = await testBed.serve(database, { ...aws, QUEUE_URL: url });
    const [email] = await makeUsers(database, 1);
    const visitor = shop.visitor();
    await visitor.logIn(email as string);
    await visitor.add(1);
    const { id } = (await visitor.order('mine')).json;
    await eventually(async () => (await inQueue(url)) === 1);
    expect((await visitor.get(`/api/orders/${id}`)).json.status).toBe('placed');
    const worker = await startWorker(database, url);
    await eventually(async () => (await visitor.get(`/api/orders/${id}`)).json.status === 'fulfilled');
    await eventually(async () => (await inQueue(url)) === 0);
    await worker.stop();
    expect(await worker.exited).toBe(0);
    await shop.process.stop();
  });

  test.concurrent('a duplicate message has no effect', async () => {
    const database = await withJobs(1, 0.3);
    const { url } = await makeQueue('twice', 30, 5);
    const [{ id }] = await sql(database, 'SELECT id FROM jobs');
    const MessageBody = JSON.stringify({ job: id });
    for (let count = 0; count < 5; count += 1) await sqs.sendMessage({ QueueUrl: url, MessageBody });
    await startWorker(database, url);
    await startWorker(database, url);
    await eventually(async () => (await inQueue(url)) === 0);
    await sqs.sendMessage({ QueueUrl: url, MessageBody });
    await eventually(async () => (await inQueue(url)) === 0);
    expect(await sql(database, 'SELECT 1 FROM effects')).toHaveLength(1);
  });

  test.concurrent('a worker completes its running jobs on SIGTERM and returns the others to the queue', async () => {
    const database = await withJobs(30, 0.5);
    const { url } = await makeQueue('stop', 300, 5);
    const server = await testBed.serve(database, { ...aws, QUEUE_URL: url });
    await eventually(async () => (await inQueue(url)) === 30);
    await server.process.stop();
    const worker = await startWorker(database, url);
    await eventually(async () => (await remainingJobs(database)) < 30);
    await worker.stop();
    expect(await worker.exited).toBe(0);
    expect(await remainingJobs(database)).toBeGreaterThan(0);
    expect(await inQueue(url)).toBe(await remainingJobs(database));
    // The next worker gets them before the visibility timeout ends.
    await startWorker(database, url);
    await eventually(async () => (await remainingJobs(database)) === 0);
  });

  test.concurrent('failing jobs and invalid messages go to the dead-letter queue without blocking others', async () => {
    const database = await withJobs(3, 0);
    const { url, deadLetterUrl } = await makeQueue('poison', 1, 2);
    const [{ order_id: poisoned }] = await sql(database, 'SELECT order_id FROM jobs LIMIT 1');
    await sql(
      database,
      `CREATE FUNCTION refuse() RETURNS trigger AS $$ BEGIN RAISE 'the printer is out of paper'; END $$ LANGUAGE plpgsql;
       CREATE TRIGGER refuse BEFORE INSERT ON receipts FOR EACH ROW WHEN (new.order_id = '${poisoned}')
       EXECUTE FUNCTION refuse()`,
    );
    await sqs.sendMessage({ QueueUrl: url, MessageBody: 'not a job' });
    const server = await testBed.serve(database, { ...aws, QUEUE_URL: url });
    await startWorker(database, url);
    await eventually(async () => (await inQueue(deadLetterUrl)) === 2);
    expect(await sql(database, 'SELECT order_id FROM jobs')).toEqual([{ order_id: poisoned }]);
    await server.process.stop();
  });

  test.concurrent('orders are accepted while the queue is down, and their jobs are sent after it recovers', async () => {
    const database = await testBed.database();
    const { url } = await makeQueue('outage', 30, 5);
    const unreachable = { ...aws, AWS_ENDPOINT_URL: 'http://127.0.0.1:9' };
    const first = await testBed.serve(database, {
      ...unreachable,
      QUEUE_URL: 'http://127.0.0.1:9/123456789012/outage',
    });
    const [email] = await makeUsers(database, 1);
    const visitor = first.visitor();
    await visitor.logIn(email as string);
    await visitor.add(1);
    expect((await visitor.order('mine')).status).toBe(201);
    await eventually(() => first.log().includes('background jobs wait for the database or the queue'));
    expect(await remainingJobs(database)).toBe(1);
    await first.process.stop();
    const second = await testBed.serve(database, { ...aws, QUEUE_URL: url });
    await startWorker(database, url);
    await eventually(async () => (await remainingJobs(database)) === 0);
    await second.process.stop();
  });
});
