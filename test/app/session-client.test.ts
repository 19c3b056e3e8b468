import { SessionClient } from '../../app/sessions/session-client';

/** A fake Redis that records the commands, and replies when a test resolves them. */
class Commands {
  readonly sent: { command: string[]; reply(value: unknown): void; fail(error: Error): void }[] = [];

  readonly send = (command: string[]) =>
    new Promise<unknown>((resolve, reject) => {
      this.sent.push({ command, reply: resolve, fail: reject });
    });

  /** The names of the commands so far. */
  get names(): string[] {
    return this.sent.map(({ command }) => command[0] as string);
  }

  replyInOrder(...values: unknown[]): void {
    for (const [index, value] of values.entries()) this.sent[index]?.reply(value);
  }
}

let redis: Commands;

beforeEach(() => {
  redis = new Commands();
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

/** Runs what is due within this number of milliseconds. */
const pass = (milliseconds: number) => jest.advanceTimersByTimeAsync(milliseconds);

const UNAVAILABLE = expect.objectContaining({ status: 503 });

describe('reads', () => {
  test('of one event-loop iteration share a command', async () => {
    const client = new SessionClient({ read: redis.send });
    const values = Promise.all([client.get('one'), client.get('two'), client.get('one')]);
    await pass(0);
    expect(redis.sent.map(({ command }) => command)).toEqual([['MGET', 'one', 'two', 'one']]);
    redis.replyInOrder(['1', Buffer.from('2'), '1']);
    expect(await values).toEqual(['1', '2', '1']);
  });

  test('of later iterations do not wait for the reply', async () => {
    const client = new SessionClient({ read: redis.send });
    const first = client.get('one');
    await pass(0);
    const second = client.get('two');
    await pass(0);
    expect(redis.sent.map(({ command }) => command)).toEqual([
      ['MGET', 'one'],
      ['MGET', 'two'],
    ]);
    redis.sent[1]?.reply([null]);
    expect(await second).toBeNull();
    redis.sent[0]?.reply(['1']);
    expect(await first).toBe('1');
  });

  test('fail together', async () => {
    const client = new SessionClient({ read: redis.send });
    const outcomes = Promise.allSettled([client.get('one'), client.get('two')]);
    await pass(0);
    const reason = new Error('connection refused');
    redis.sent[0]?.fail(reason);
    expect(await outcomes).toEqual(Array(2).fill({ status: 'rejected', reason }));
    const next = client.get('one');
    await pass(0);
    redis.sent[1]?.reply(['1']);
    expect(await next).toBe('1');
  });

  test('fail with 503 after 200 ms without a reply', async () => {
    const client = new SessionClient({ read: redis.send });
    const outcomes = Promise.allSettled([client.get('one'), client.get('two')]);
    const settled = jest.fn();
    void outcomes.then(settled);
    await pass(199);
    expect(settled).not.toHaveBeenCalled();
    await pass(2);
    expect(await outcomes).toEqual(Array(2).fill({ status: 'rejected', reason: UNAVAILABLE }));
  });

  test('of a removed session find nothing', async () => {
    const client = new SessionClient({ read: redis.send });
    const value = client.get('one');
    await pass(0);
    redis.sent[0]?.reply(['']);
    expect(await value).toBeNull();
  });
});

describe('writes', () => {
  test('are confirmed by their reply if no replica is required', async () => {
    const client = new SessionClient({ read: redis.send });
    const saved = client.save('one', '{}', 5_000.4);
    expect(redis.sent[0]?.command).toEqual(['EVAL', expect.stringContaining('SET'), '1', 'one', '{}', '5000']);
    redis.sent[0]?.reply(1);
    expect(await saved).toBe(true);
    expect(redis.names).toEqual(['EVAL']);
  });

  test('of a removed session are not saved', async () => {
    const client = new SessionClient({ read: redis.send });
    const saved = client.save('one', '{}', 5_000);
    redis.sent[0]?.reply(0);
    expect(await saved).toBe(false);
  });

  test('use their own connection and share a WAIT', async () => {
    const reads = new Commands();
    const client = new SessionClient({ read: reads.send, write: redis.send, minReplicas: 1 });
    const first = client.save('one', '{}', 5_000);
    const others = Promise.all([client.save('two', '{}', 5_000), client.save('three', '{}', 5_000)]);
    expect(redis.names).toEqual(['EVAL', 'WAIT']);
    expect(redis.sent[1]?.command).toEqual(['WAIT', '1', '120']);
    redis.replyInOrder(1, 1);
    expect(await first).toBe(true);
    await pass(0);
    expect(redis.names).toEqual(['EVAL', 'WAIT', 'EVAL', 'EVAL', 'WAIT']);
    redis.replyInOrder(1, 1, 1, 1, 1);
    expect(await others).toEqual([true, true]);
    expect(reads.names).toEqual([]);
  });

  test('wait for the replicas, and fail with 503 if too few confirm', async () => {
    const client = new SessionClient({ read: redis.send, minReplicas: 2 });
    const saved = Promise.allSettled([client.save('one', '{}', 5_000)]);
    const settled = jest.fn();
    void saved.then(settled);
    redis.sent[0]?.reply(1);
    await pass(100);
    expect(settled).not.toHaveBeenCalled();
    redis.sent[1]?.reply(1);
    const reason = expect.objectContaining({ status: 503, message: expect.stringContaining('1 of 2 replicas') });
    expect(await saved).toEqual([{ status: 'rejected', reason }]);
  });

  test('that fail while they wait for an earlier one are not sent later', async () => {
    const client = new SessionClient({ read: redis.send, minReplicas: 1 });
    const outcomes = Promise.allSettled([client.save('one', '{}', 5_000), client.save('two', '{}', 5_000)]);
    await pass(201);
    expect(await outcomes).toEqual(Array(2).fill({ status: 'rejected', reason: UNAVAILABLE }));
    redis.replyInOrder(1, 1);
    const next = client.save('three', '{}', 5_000);
    await pass(0);
    expect(redis.sent.map(({ command }) => command[3] ?? command[0])).toEqual(['one', 'WAIT', 'three', 'WAIT']);
    redis.replyInOrder(1, 1, 1, 1);
    expect(await next).toBe(true);
  });
});
