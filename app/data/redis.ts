import { setTimeout as sleep } from 'node:timers/promises';
import type { createClient, RedisArgument } from 'redis';
import { Unavailable } from '../errors';
import type { SharedCache } from './shared-catalogue';

type Client = ReturnType<typeof createClient>;

export interface RedisSettings {
  /** `redis://` or, with TLS, `rediss://`; may hold user and password. */
  readonly url: string;
  /** Replicas that must have a session before it is confirmed. */
  readonly minReplicas: number;
}

/** Milliseconds until an unanswered command fails. With the rest of a request, the client has its 503 within 250 ms. */
const COMMAND_TIMEOUT = 200;

/** Timeout of a connection attempt in milliseconds. */
const CONNECT_TIMEOUT = 1_000;

/** Milliseconds between two health checks of a connection. */
const PROBE_INTERVAL = 1_000;

/** Unanswered health checks after which a connection is replaced. */
const MISSED_PROBES = 3;

/** Minimum milliseconds between two replacements of a connection: the DNS record may lag behind a failover. */
const RENEWAL_INTERVAL = 500;

/** Maximum milliseconds between two connection attempts. */
const MAX_PAUSE = 1_000;

/**
 * Errors of a server that is not the primary. Its connections stay open after a failover, so they must be replaced: the DNS name
 * resolves to another server by then.
 *
 * @see https://github.com/redis/node-redis/issues/2326
 */
const NOT_PRIMARY = /READONLY|LOADING|MASTERDOWN|UNBLOCKED|WAIT cannot be used with replica/;

/**
 * The shop's connections to the primary of Redis or Valkey. No command is queued while it is down: each fails at once, and an
 * unanswered one after {@link COMMAND_TIMEOUT}.
 */
export class Redis {
  /** For sessions, whose writes wait for replicas. They use a second connection, because a WAIT blocks its connection. */
  readonly commands: {
    readonly read: (command: string[]) => Promise<unknown>;
    readonly write: (command: string[]) => Promise<unknown>;
    readonly minReplicas: number;
  };
  readonly #plain: Connection;
  readonly #connections: readonly Connection[];
  readonly #probing: NodeJS.Timeout;

  /** @param onError called with the reason when a connection breaks or is replaced. Reconnecting never stops. */
  constructor({ url, minReplicas }: RedisSettings, onError: (error: Error) => void) {
    const renewAll = () => {
      for (const connection of this.#connections) connection.renew();
    };
    this.#plain = new Connection(url, onError, renewAll);
    const writes = minReplicas > 0 ? new Connection(url, onError, renewAll) : this.#plain;
    this.#connections = [...new Set([this.#plain, writes])];
    this.commands = {
      read: (command) => this.#plain.send(command),
      write: (command) => writes.send(command),
      minReplicas,
    };
    this.#probing = setInterval(() => {
      for (const connection of this.#connections) void connection.probe();
    }, PROBE_INTERVAL).unref();
  }

  /** Resolves once connected, or after {@link CONNECT_TIMEOUT}: a server must start without Redis too. */
  async settled(): Promise<void> {
    const end = Date.now() + CONNECT_TIMEOUT;
    while (Date.now() < end && !this.#connections.every((connection) => connection.isReady)) await sleep(10);
  }

  /** For entries that may be lost. */
  get cache(): SharedCache {
    return {
      get: async (key) => {
        const text = this.#plain.run<Buffer | null>(['GET', key]);
        const [found, ttl] = await Promise.all([text, this.#plain.run<number>(['PTTL', key])]);
        return found === null ? undefined : { text: found.toString(), ttl };
      },
      set: async (key, text, ttl, onlyIfAbsent) => {
        const command = setCommand(key, text, ttl);
        return (await this.#plain.run(onlyIfAbsent ? [...command, 'NX'] : command)) !== null;
      },
    };
  }

  /** The client for rate-limiter-flexible, with its option `useRedisPackage`. */
  get counters() {
    const run = (...command: RedisArgument[]) => this.#plain.run<unknown>(command);
    return {
      eval: (script: string, options: { readonly keys: string[]; readonly arguments: string[] }) =>
        run('EVAL', script, String(options.keys.length), ...options.keys, ...options.arguments),
      del: (key: string) => run('DEL', key),
      multi: () => {
        const answers: Promise<unknown>[] = [];
        const transaction = {
          get: (key: string) => also('GET', key),
          pTTL: (key: string) => also('PTTL', key),
          exec: () => Promise.all(answers),
        };
        const also = (...command: string[]) => {
          answers.push(run(...command));
          return transaction;
        };
        return transaction;
      },
    };
  }

  close(): void {
    clearInterval(this.#probing);
    for (const connection of this.#connections) connection.close();
  }
}

/** One connection to the primary. It is replaced if it breaks, freezes, or leads to a replica. */
class Connection {
  #client: Client | undefined;
  #renewedAt = Number.NEGATIVE_INFINITY;
  #unanswered = 0;
  #closed = false;

  constructor(
    private readonly url: string,
    private readonly onError: (error: Error) => void,
    /** Called if the server is not the primary. The other connections to it need replacement as well. */
    private readonly onReplica: () => void,
  ) {
    this.renew();
  }

  get isReady(): boolean {
    return this.#client?.isReady === true;
  }

  /** As {@link send}, for at most {@link COMMAND_TIMEOUT}. */
  run<Reply>(command: RedisArgument[]): Promise<Reply> {
    return withinTime(this.send<Reply>(command));
  }

  /** Strings in the reply are Buffers. */
  async send<Reply>(command: RedisArgument[]): Promise<Reply> {
    try {
      if (!this.#client?.isReady) throw new Error('not connected to Redis');
      return await this.#client.sendCommand<Reply>(command);
    } catch (error) {
      if (NOT_PRIMARY.test((error as Error).message)) this.onReplica();
      throw new Unavailable(undefined, { cause: error });
    }
  }

  /** Replaces the connection if the server is a replica or does not answer. Every user may send `HELLO`. */
  async probe(): Promise<void> {
    const client = this.#client;
    try {
      const facts = await this.run<unknown[]>(['HELLO']);
      this.#unanswered = 0;
      const role = String(facts[facts.findIndex((name) => String(name) === 'role') + 1]);
      if (role === 'master' || client !== this.#client) return;
      this.onError(new Error(`this Redis server is a ${role}, not the primary`));
      this.onReplica();
    } catch {
      if (client !== this.#client) return;
      // One may be due to load. A client that is not connected after several hangs in its attempt.
      this.#unanswered += 1;
      if (this.#unanswered >= MISSED_PROBES) this.renew();
    }
  }

  /** Replaces the connection. The DNS name is resolved again. */
  renew(): void {
    const now = performance.now();
    if (this.#closed || now - this.#renewedAt < RENEWAL_INTERVAL) return;
    this.#renewedAt = now;
    this.#unanswered = 0;
    this.#client?.destroy();
    this.#client = this.#open();
  }

  close(): void {
    this.#closed = true;
    this.#client?.destroy();
  }

  #open(): Client {
    // On first use. `await import()` finds no named exports in the bundled package.
    const { createClient, RESP_TYPES } = require('redis') as typeof import('redis');
    const client = createClient({
      url: this.url,
      name: 'shop',
      RESP: 2,
      disableClientInfo: true,
      disableOfflineQueue: true,
      // The client's timeout only covers the time until a command is sent.
      commandOptions: { timeout: undefined, typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
      socket: { connectTimeout: CONNECT_TIMEOUT, reconnectStrategy: pauseBefore },
    });
    let isReported = false;
    client.on('ready', () => {
      isReported = false;
    });
    // Without a listener, an error ends the process. Only the first error of an outage is reported, not each attempt.
    client.on('error', (error: Error) => {
      if (!isReported) this.onError(error);
      isReported = true;
    });
    // Retries until destroy().
    client.connect().catch(() => {});
    return client as unknown as Client;
  }
}

/** Random, so that the processes of a fleet do not reconnect at the same time. */
function pauseBefore(attempt: number): number {
  return Math.min(MAX_PAUSE, 50 * 2 ** attempt) * (0.5 + Math.random() / 2);
}

function setCommand(key: string, value: RedisArgument, ttlMs: number): RedisArgument[] {
  return ['SET', key, value, 'PX', lifetime(ttlMs)];
}

function lifetime(ttlMs: number): string {
  return String(Math.max(1, Math.round(ttlMs)));
}

/** Settles like `answer`, or rejects after {@link COMMAND_TIMEOUT}. */
function withinTime<T>(answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    // After a pause of this process, the answer may be in the socket unread, and timers run first. One iteration reads it.
    const timer = setTimeout(
      () =>
        setImmediate(() =>
          reject(new Unavailable(undefined, { cause: new Error(`no answer from Redis within ${COMMAND_TIMEOUT} ms`) })),
        ),
      COMMAND_TIMEOUT,
    );
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
