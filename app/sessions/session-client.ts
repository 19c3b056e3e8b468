/** Sends a command to the primary of Redis or Valkey, such as node-redis's `client.sendCommand`. */
export type SendCommand = (command: string[]) => Promise<unknown>;

export interface SessionClientOptions {
  /** Sends reads. */
  readonly read: SendCommand;
  /**
   * Sends writes. With {@link minReplicas}, they need a connection to themselves: `WAIT` blocks its connection.
   *
   * @default - `read`
   */
  readonly write?: SendCommand | undefined;
  /**
   * Replicas that must have a write before it is confirmed. It then survives a failover to the most current replica.
   *
   * @default 0
   */
  readonly minReplicas?: number | undefined;
}

/** Milliseconds until an unanswered command fails. With the rest of a request, the client has its 503 within 250 ms. */
const TIMEOUT = 200;

/** Milliseconds that `WAIT` waits for the replicas. Less than {@link TIMEOUT}, because a write may queue behind another. */
const REPLICATION_TIMEOUT = 120;

/** Value of a removed key. A write that timed out may still be executed after the removal, and must not restore the key. */
const REMOVED = '';

/** Lifetime of {@link REMOVED} in milliseconds: longer than an unanswered command stays in a connection. */
const REMOVED_TTL = 60_000;

/** Sets a key unless it was removed. Returns 1 if it is set, otherwise 0. */
const SAVE = `
if redis.call('GET', KEYS[1]) == '${REMOVED}' then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`;

/** The store did not confirm in time. Express answers with this status. */
class SessionStoreError extends Error {
  readonly status = 503;
}

/**
 * The `client` for connect-redis that makes its sessions reliable:
 *
 * - Every command fails after 200 ms, so that a Redis without answers costs a request no more than that.
 * - Reads of one event-loop iteration share a command, which takes a fraction of the CPU time of a command for each.
 * - With `minReplicas`, a session is confirmed only when that many replicas have it. A failover loses no confirmed login.
 * - A removed session stays removed, even if a late write of a concurrent request arrives after its removal.
 *
 * ```ts
 * const client = new SessionClient({ read: (c) => one.sendCommand(c), write: (c) => two.sendCommand(c), minReplicas: 1 });
 * const store = new RedisStore({ client, disableTouch: true });
 * ```
 */
export class SessionClient {
  readonly #reads: Reads;
  readonly #writes: Writes;

  constructor({ read, write = read, minReplicas = 0 }: SessionClientOptions) {
    this.#reads = new Reads(read);
    this.#writes = new Writes(write, minReplicas);
  }

  async get(key: string): Promise<string | null> {
    const value = await this.#reads.get(key);
    // With a type mapping, a client returns Buffers.
    return value === null || String(value) === REMOVED ? null : String(value);
  }

  async set(key: string, value: string, options: { expiration: { type: 'EX'; value: number } }): Promise<void> {
    await this.save(key, value, options.expiration.value * 1000);
  }

  /** @returns false if the key was removed within the last minute. It then stays removed. */
  async save(key: string, value: string, ttlMs: number): Promise<boolean> {
    return (await this.#writes.run(['EVAL', SAVE, '1', key, value, milliseconds(ttlMs)])) === 1;
  }

  async expire(key: string, seconds: number): Promise<void> {
    await this.#writes.run(['EXPIRE', key, String(seconds)]);
  }

  async del(keys: readonly string[]): Promise<void> {
    await Promise.all(keys.map((key) => this.#writes.run(['SET', key, REMOVED, 'PX', milliseconds(REMOVED_TTL)])));
  }
}

interface Read {
  readonly key: string;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** Sends the reads of an event-loop iteration as one `MGET`. */
class Reads {
  #waiting: Read[] = [];

  constructor(private readonly send: SendCommand) {}

  get(key: string): Promise<unknown> {
    if (this.#waiting.length === 0) setImmediate(() => this.#sendAll());
    return new Promise((resolve, reject) => this.#waiting.push({ key, resolve, reject }));
  }

  async #sendAll(): Promise<void> {
    const batch = this.#waiting;
    this.#waiting = [];
    try {
      const values = (await within(this.send(['MGET', ...batch.map(({ key }) => key)]))) as unknown[];
      for (const [index, { resolve }] of batch.entries()) resolve(values[index]);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}

interface Write {
  readonly command: string[];
  /** Time of `performance.now()`. */
  readonly expires: number;
  settle(outcome: Promise<unknown>): void;
}

/**
 * Sends writes together with one `WAIT` for the replicas. Writes that arrive meanwhile share the next one: with a `WAIT` each, they
 * would queue behind each other, and without replicas the queue would only grow.
 */
class Writes {
  #waiting: Write[] = [];
  #isSending = false;

  constructor(
    private readonly send: SendCommand,
    private readonly minReplicas: number,
  ) {}

  run(command: string[]): Promise<unknown> {
    if (this.minReplicas === 0) return within(this.send(command));
    const saved = new Promise((resolve) => {
      this.#waiting.push({ command, expires: performance.now() + TIMEOUT, settle: resolve });
    });
    if (!this.#isSending) void this.#sendAll();
    return within(saved);
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true;
    while (this.#waiting.length > 0) {
      const now = performance.now();
      // An expired write was reported as failed, so it must not happen later.
      const batch = this.#waiting.filter(({ expires }) => expires > now);
      this.#waiting = [];
      if (batch.length === 0) break;
      // Without a pause in between, so that all use one socket: WAIT only covers the writes of the same connection.
      const replies = batch.map(({ command }) => this.send(command));
      const replicated = this.#replicated();
      batch.forEach(({ settle }, index) => {
        settle(Promise.all([replies[index], replicated]).then(([reply]) => reply));
      });
      await Promise.allSettled([...replies, replicated]);
    }
    this.#isSending = false;
  }

  async #replicated(): Promise<void> {
    const replicas = await this.send(['WAIT', String(this.minReplicas), String(REPLICATION_TIMEOUT)]);
    if (Number(replicas) < this.minReplicas) {
      throw new SessionStoreError(
        `${replicas} of ${this.minReplicas} replicas confirmed within ${REPLICATION_TIMEOUT} ms`,
      );
    }
  }
}

function milliseconds(ttl: number): string {
  return String(Math.max(1, Math.round(ttl)));
}

/** Settles like `answer`, or rejects after {@link TIMEOUT}. */
function within<T>(answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    // After a pause of this process, the answer may be in the socket unread, and timers run first. One event-loop iteration reads it.
    const timer = setTimeout(
      () => setImmediate(() => reject(new SessionStoreError(`no answer from Redis within ${TIMEOUT} ms`))),
      TIMEOUT,
    );
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
