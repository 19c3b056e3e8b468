import { setTimeout as sleep } from 'node:timers/promises';
import type { createClient, RedisArgument } from 'redis';
import { Unavailable } from '../errors';
import type { SharedCache } from './shared-catalogue';

type Client = ReturnType<typeof createClient>;

export interface RedisSettings {
  /** `redis://` or, with TLS, `rediss://`; may hold user and password. */
  readonly url: string;
  /** Replicas that must have a durable write before it counts as saved. */
  readonly minReplicas: number;
}

/** A command without an answer for so long (in ms) is answered 503. All else that a request needs must fit beside it in 250 ms. */
const COMMAND_TIMEOUT = 200;

/** Milliseconds that a server may take to accept a connection. */
const CONNECT_TIMEOUT = 1_000;

/** Milliseconds between two questions whether this connection still leads to a primary that answers. */
const PROBE_INTERVAL = 1_000;

/** Unanswered probes after which a connection is given up. */
const MISSED_PROBES = 3;

/** A connection is given up for another at most that often, in ms: the name in the URL may lag behind a failover. */
const RENEWAL_INTERVAL = 500;

/** Longest pause before another attempt to connect, in ms. */
const MAX_PAUSE = 1_000;

/**
 * What a server says that is no longer, or not yet, the primary. Its connections stay open, so they must be given up: the
 * name in the URL leads to another server by now.
 *
 * @see https://github.com/redis/node-redis/issues/2326
 */
const NOT_PRIMARY = /READONLY|LOADING|MASTERDOWN|UNBLOCKED|WAIT cannot be used with replica/;

/**
 * The shop's way to Redis or Valkey, and the only module that knows the driver. Always through the primary. Nothing is
 * queued while it is away: a command then fails in no time, and otherwise after {@link COMMAND_TIMEOUT} at the latest.
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

  /** @param onError hears why a connection broke or was given up; another is opened by itself, for ever */
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

  /** Resolves once connected, or after a moment without success: a server must come up without Redis too. */
  async settled(): Promise<void> {
    const end = Date.now() + CONNECT_TIMEOUT;
    while (Date.now() < end && !this.#connections.every((connection) => connection.isReady)) await sleep(10);
  }

  /** For what may be lost. */
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

  /** What rate-limiter-flexible calls on a client of its "redis package" kind. */
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

/** One connection to the primary; opened again whenever it breaks, freezes, or turns out to lead to a replica. */
class Connection {
  #client: Client | undefined;
  #renewedAt = Number.NEGATIVE_INFINITY;
  #unanswered = 0;
  #closed = false;

  constructor(
    private readonly url: string,
    private readonly onError: (error: Error) => void,
    /** Called when the server is not the primary: whatever else is connected to it is not, either. */
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

  /** Text in the reply comes as Buffers. */
  async send<Reply>(command: RedisArgument[]): Promise<Reply> {
    try {
      if (!this.#client?.isReady) throw new Error('not connected to Redis');
      return await this.#client.sendCommand<Reply>(command);
    } catch (error) {
      if (NOT_PRIMARY.test((error as Error).message)) this.onReplica();
      throw new Unavailable(undefined, { cause: error });
    }
  }

  /** Asks the server who it is, which every user may; gives the connection up when it is a replica, or does not answer. */
  async probe(): Promise<void> {
    const client = this.#client;
    try {
      const facts = await this.run<unknown[]>(['HELLO']);
      this.#unanswered = 0;
      const role = String(facts[facts.findIndex((name) => String(name) === 'role') + 1]);
      if (role === 'master' || client !== this.#client) return;
      this.onError(new Error(`this Redis server is no primary but a ${role}`));
      this.onReplica();
    } catch {
      if (client !== this.#client) return;
      // Once may be a busy moment. A client that is not even connected by then hangs in its attempt.
      this.#unanswered += 1;
      if (this.#unanswered >= MISSED_PROBES) this.renew();
    }
  }

  /** Leaves the connection and opens another; the name in the URL is looked up again. */
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
    // Not before it is needed. The bundled package has no names that `await import()` could see.
    const { createClient, RESP_TYPES } = require('redis') as typeof import('redis');
    const client = createClient({
      url: this.url,
      name: 'shop',
      RESP: 2,
      disableClientInfo: true,
      disableOfflineQueue: true,
      // Its own timeout ends with the sending of a command.
      commandOptions: { timeout: undefined, typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
      socket: { connectTimeout: CONNECT_TIMEOUT, reconnectStrategy: pauseBefore },
    });
    let told = false;
    client.on('ready', () => {
      told = false;
    });
    // Without a listener, an error ends the process. One outage is one line, and not one for each attempt.
    client.on('error', (error: Error) => {
      if (!told) this.onError(error);
      told = true;
    });
    // It tries for ever; what ends it is destroy().
    client.connect().catch(() => {});
    return client as unknown as Client;
  }
}

/** At random, so that the processes of a fleet do not all come back in the same moment. */
function pauseBefore(attempt: number): number {
  return Math.min(MAX_PAUSE, 50 * 2 ** attempt) * (0.5 + Math.random() / 2);
}

function setCommand(key: string, value: RedisArgument, ttlMs: number): RedisArgument[] {
  return ['SET', key, value, 'PX', lifetime(ttlMs)];
}

function lifetime(ttlMs: number): string {
  return String(Math.max(1, Math.round(ttlMs)));
}

/** Settles like `answer`, or throws when that takes longer than {@link COMMAND_TIMEOUT}. */
function withinTime<T>(answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    // After a pause of this process the answer may lie there unread, and timers come first: it is read, and then judged.
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
