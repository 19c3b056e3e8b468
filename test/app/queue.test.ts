import { join } from 'node:path';
import { startShop } from '../../tools/rehearsal/programs/shop-process';
import { describeWith } from '../support/needs';
import { QueueTestBed } from '../support/queue';
import { eventually, makeUsers, serverEnv, sql } from '../support/shop';

/** Background jobs over SQS: each job takes effect exactly once, despite killed workers. */
describeWith('moto server', 'with a queue', () => {
  let queues: QueueTestBed;

  beforeAll(async () => {
    queues = await QueueTestBed.open();
  });

  afterEach(() => queues.killWorkers());
  // Concurrent tests do not support afterEach; close() kills their workers.
  afterAll(() => queues?.close());

  test('a worker without a queue exits with a one-line error', async () => {
    const { shops } = queues;
    const env = serverEnv(await shops.database());
    const start = startShop({ bundle: shops.bundle, entry: 'worker', log: join(shops.dir, 'refused.log'), env });
    await expect(start).rejects.toThrow('QUEUE_URL must be set for a worker.');
  });

  // queue.drill.ts has 500 jobs.
  test('each of 40 jobs takes effect exactly once while workers are continuously killed', async () => {
    expect(await queues.killWorkersDuring(40, 0.5)).toBeGreaterThan(0);
  });

  test('a job that exceeds the visibility timeout is not started by another worker', async () => {
    const database = await queues.withJobs(1, 4);
    const { url } = await queues.makeQueue('long', 1, 2);
    const server = await queues.shops.serve(database, { ...queues.aws, QUEUE_URL: url });
    await Promise.all([queues.startWorker(database, url), queues.startWorker(database, url)]);
    await eventually(async () => (await queues.remainingJobs(database)) === 0);
    await eventually(async () => (await queues.inQueue(url)) === 0);
    const { Messages } = await queues.sqs.receiveMessage({ QueueUrl: url, WaitTimeSeconds: 1 });
    expect(Messages ?? []).toEqual([]);
    await server.process.stop();
  });

  // Concurrently, because the tests mostly wait.
  test.concurrent('an order placed on a server is fulfilled only once a worker runs', async () => {
    const database = await queues.shops.database();
    const { url } = await queues.makeQueue('journey', 30, 5);
    const shop = await queues.shops.serve(database, { ...queues.aws, QUEUE_URL: url });
    const [email] = await makeUsers(database, 1);
    const visitor = shop.visitor();
    await visitor.logIn(email as string);
    await visitor.add(1);
    const { id } = (await visitor.order('mine')).json;
    await eventually(async () => (await queues.inQueue(url)) === 1);
    expect((await visitor.get(`/api/orders/${id}`)).json.status).toBe('placed');
    const worker = await queues.startWorker(database, url);
    await eventually(async () => (await visitor.get(`/api/orders/${id}`)).json.status === 'fulfilled');
    await eventually(async () => (await queues.inQueue(url)) === 0);
    await worker.stop();
    expect(await worker.exited).toBe(0);
    await shop.process.stop();
  });

  test.concurrent('a duplicate message has no effect', async () => {
    const database = await queues.withJobs(1, 0.3);
    const { url } = await queues.makeQueue('twice', 30, 5);
    const [{ id }] = await sql(database, 'SELECT id FROM jobs');
    const MessageBody = JSON.stringify({ job: id });
    for (let count = 0; count < 5; count += 1) await queues.sqs.sendMessage({ QueueUrl: url, MessageBody });
    await queues.startWorker(database, url);
    await queues.startWorker(database, url);
    await eventually(async () => (await queues.inQueue(url)) === 0);
    await queues.sqs.sendMessage({ QueueUrl: url, MessageBody });
    await eventually(async () => (await queues.inQueue(url)) === 0);
    expect(await sql(database, 'SELECT 1 FROM effects')).toHaveLength(1);
  });

  test.concurrent('a worker completes its running jobs on SIGTERM and returns the others to the queue', async () => {
    const database = await queues.withJobs(30, 0.5);
    const { url } = await queues.makeQueue('stop', 300, 5);
    const server = await queues.shops.serve(database, { ...queues.aws, QUEUE_URL: url });
    await eventually(async () => (await queues.inQueue(url)) === 30);
    await server.process.stop();
    const worker = await queues.startWorker(database, url);
    await eventually(async () => (await queues.remainingJobs(database)) < 30);
    await worker.stop();
    expect(await worker.exited).toBe(0);
    expect(await queues.remainingJobs(database)).toBeGreaterThan(0);
    expect(await queues.inQueue(url)).toBe(await queues.remainingJobs(database));
    // The next worker gets them before the visibility timeout ends.
    await queues.startWorker(database, url);
    await eventually(async () => (await queues.remainingJobs(database)) === 0);
  });

  test.concurrent('failing jobs and invalid messages go to the dead-letter queue without blocking others', async () => {
    const database = await queues.withJobs(3, 0);
    const { url, deadLetterUrl } = await queues.makeQueue('poison', 1, 2);
    const [{ order_id: poisoned }] = await sql(database, 'SELECT order_id FROM jobs LIMIT 1');
    await sql(
      database,
      `CREATE FUNCTION refuse() RETURNS trigger AS $$ BEGIN RAISE 'the printer is out of paper'; END $$ LANGUAGE plpgsql;
       CREATE TRIGGER refuse BEFORE INSERT ON receipts FOR EACH ROW WHEN (new.order_id = '${poisoned}')
       EXECUTE FUNCTION refuse()`,
    );
    await queues.sqs.sendMessage({ QueueUrl: url, MessageBody: 'not a job' });
    const server = await queues.shops.serve(database, { ...queues.aws, QUEUE_URL: url });
    await queues.startWorker(database, url);
    await eventually(async () => (await queues.inQueue(deadLetterUrl)) === 2);
    expect(await sql(database, 'SELECT order_id FROM jobs')).toEqual([{ order_id: poisoned }]);
    await server.process.stop();
  });

  test.concurrent('orders are accepted while the queue is down, and their jobs are sent after it recovers', async () => {
    const database = await queues.shops.database();
    const { url } = await queues.makeQueue('outage', 30, 5);
    const unreachable = { ...queues.aws, AWS_ENDPOINT_URL: 'http://127.0.0.1:9' };
    const first = await queues.shops.serve(database, {
      ...unreachable,
      QUEUE_URL: 'http://127.0.0.1:9/123456789012/outage',
    });
    const [email] = await makeUsers(database, 1);
    const visitor = first.visitor();
    await visitor.logIn(email as string);
    await visitor.add(1);
    expect((await visitor.order('mine')).status).toBe(201);
    await eventually(() => first.log().includes('background jobs: the database or the queue is unavailable, retrying'));
    expect(await queues.remainingJobs(database)).toBe(1);
    await first.process.stop();
    const second = await queues.shops.serve(database, { ...queues.aws, QUEUE_URL: url });
    await queues.startWorker(database, url);
    await eventually(async () => (await queues.remainingJobs(database)) === 0);
    await second.process.stop();
  });
});
