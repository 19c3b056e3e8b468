import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SQS } from '@aws-sdk/client-sqs';
import { type Moto, startMoto } from '../../tools/emulator/moto';
import { type ShopProcess, startShop } from '../../tools/rehearsal/programs/shop-process';
import { eventually, isAlive, makeUsers, serverEnv, sql, TestBed } from './shop';

/** Servers and workers of the tests in one file, with SQS from the emulator. */
export class QueueTestBed {
  /** Environment variables that point a server or worker to the emulator. */
  readonly aws: Record<string, string>;
  readonly sqs: SQS;
  readonly #workers = new Set<ShopProcess>();

  private constructor(
    readonly shops: TestBed,
    readonly moto: Moto,
  ) {
    const credentials = { accessKeyId: 'x', secretAccessKey: 'x' };
    this.sqs = new SQS({ endpoint: moto.endpoint, region: 'eu-west-1', credentials });
    this.aws = {
      AWS_ENDPOINT_URL: moto.endpoint,
      AWS_REGION: 'eu-west-1',
      AWS_ACCESS_KEY_ID: 'x',
      AWS_SECRET_ACCESS_KEY: 'x',
    };
  }

  static async open(): Promise<QueueTestBed> {
    return new QueueTestBed(await TestBed.open(), await startMoto());
  }

  async close(): Promise<void> {
    this.killWorkers();
    this.sqs.destroy();
    await this.moto.stop();
    await this.shops.close();
  }

  killWorkers(): void {
    for (const worker of this.#workers) if (isAlive(worker.pid)) process.kill(worker.pid, 'SIGKILL');
    this.#workers.clear();
  }

  /** Creates a queue and its dead-letter queue. */
  async makeQueue(
    name: string,
    visibilityTimeout: number,
    tries: number,
  ): Promise<{ url: string; deadLetterUrl: string }> {
    const { QueueUrl: deadLetterUrl = '' } = await this.sqs.createQueue({ QueueName: `${name}-dead` });
    const { Attributes } = await this.sqs.getQueueAttributes({ QueueUrl: deadLetterUrl, AttributeNames: ['QueueArn'] });
    const { QueueUrl: url = '' } = await this.sqs.createQueue({
      QueueName: name,
      Attributes: {
        VisibilityTimeout: String(visibilityTimeout),
        RedrivePolicy: JSON.stringify({ deadLetterTargetArn: Attributes?.QueueArn, maxReceiveCount: tries }),
      },
    });
    return { url, deadLetterUrl };
  }

  async startWorker(database: string, queue: string, env: Record<string, string> = {}): Promise<ShopProcess> {
    const log = join(this.shops.dir, 'worker.log');
    const settings = serverEnv(database, { ...this.aws, QUEUE_URL: queue, ...env });
    const worker = await startShop({ bundle: this.shops.bundle, entry: 'worker', log, env: settings });
    this.#workers.add(worker);
    return worker;
  }

  /** Creates a database with `count` orders without receipts. Each new receipt adds a row to `effects`. */
  async withJobs(count: number, secondsEach: number): Promise<string> {
    const database = await this.shops.database();
    await (await this.shops.serve(database)).process.stop();
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

  /** Returns the number of jobs in the database. */
  async remainingJobs(database: string): Promise<number> {
    return Number((await sql(database, 'SELECT count(*) FROM jobs'))[0].count);
  }

  /** Returns the number of messages, visible or not. */
  async inQueue(url: string): Promise<number> {
    const AttributeNames = ['ApproximateNumberOfMessages' as const, 'ApproximateNumberOfMessagesNotVisible' as const];
    const { Attributes } = await this.sqs.getQueueAttributes({ QueueUrl: url, AttributeNames });
    return Object.values(Attributes ?? {}).reduce((sum, value) => sum + Number(value), 0);
  }

  /**
   * Runs jobs while workers are continuously killed with SIGKILL. Each must take effect exactly once.
   *
   * @returns the number of kills
   */
  async killWorkersDuring(count: number, secondsEach: number): Promise<number> {
    const database = await this.withJobs(count, secondsEach);
    const { url } = await this.makeQueue('killed', 2, 50);
    const server = await this.shops.serve(database, { ...this.aws, QUEUE_URL: url });
    const workers = await Promise.all([1, 2, 3].map(() => this.startWorker(database, url)));
    let kills = 0;
    while ((await this.remainingJobs(database)) > 0 && kills < 60) {
      await sleep(200 + Math.random() * 400);
      const victim = workers.splice(Math.floor(Math.random() * workers.length), 1)[0] as ShopProcess;
      process.kill(victim.pid, 'SIGKILL');
      kills += 1;
      workers.push(await this.startWorker(database, url));
    }
    // Messages of killed workers reappear, and their jobs are already done.
    await eventually(async () => (await this.inQueue(url)) === 0);
    const counts = await sql(database, 'SELECT order_id, count(*)::int AS times FROM effects GROUP BY order_id');
    expect(counts).toHaveLength(count);
    expect(counts.filter(({ times }) => times !== 1)).toEqual([]);
    expect(await sql(database, `SELECT 1 FROM orders WHERE status <> 'fulfilled'`)).toEqual([]);
    await server.process.stop();
    return kills;
  }
}
