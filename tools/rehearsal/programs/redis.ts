import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../support/processes';
import { startProgram } from './program';

const execute = promisify(execFile);

export interface RedisServerOptions {
  /** Folder for the log. Created when missing. */
  readonly dir: string;

  /**
   * TCP port on loopback.
   *
   * @default - a free one
   */
  readonly port?: number;

  /**
   * TCP port of the primary to replicate.
   *
   * @default - starts a primary
   */
  readonly primaryPort?: number;

  /**
   * Settings of redis.conf, such as `{ 'tls-port': '6380' }`.
   *
   * @default - Redis's defaults
   */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A running `redis-server` of the system, without persistence. */
export interface RedisServer {
  readonly pid: number;
  readonly port: number;
  /** `redis://127.0.0.1:PORT` */
  readonly url: string;
  /** Sends a command. Resolves to the reply as text, one element per line. */
  command(...words: string[]): Promise<string>;
  /** Makes it a replica of the primary at this port. Clients stay connected, as in a failover of ElastiCache. */
  follow(primaryPort: number): Promise<void>;
  /** Makes it a primary. */
  promote(): Promise<void>;
  /** Sends SIGKILL, like a failed machine. Resolves when the server has exited. */
  kill(): Promise<void>;
  /** Safe to call twice, and after a kill. */
  stop(): Promise<void>;
}

/**
 * Starts a Redis server, and waits until it answers and, for a replica, has synchronized. It stops when this process exits.
 *
 * @throws Error with the end of the log when redis-server is missing or does not start
 */
export async function startRedis(options: RedisServerOptions): Promise<RedisServer> {
  const dir = resolve(options.dir);
  mkdirSync(dir, { recursive: true });
  const port = options.port ?? (await freePort());
  const settings: Record<string, string> = {
    port: String(port),
    bind: '127.0.0.1',
    dir,
    save: '',
    appendonly: 'no',
    // The default delays the first synchronization by 5 s.
    'repl-diskless-sync-delay': '0',
    ...(options.primaryPort && { replicaof: `127.0.0.1 ${options.primaryPort}` }),
    ...options.settings,
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const redis = startProgram('redis-server', flags, join(dir, 'redis.log'));
  const command = (...words: string[]) => ask(port, ...words);
  // Checks the primary, which reports the replica as online slightly later than the replica does.
  const synchronised = (primaryPort: number) =>
    redis.waitUntil('synchronized with its primary', async () =>
      (await ask(primaryPort, 'INFO', 'replication')).includes(`port=${port},state=online`),
    );
  const server: RedisServer = {
    pid: redis.pid,
    port,
    url: `redis://127.0.0.1:${port}`,
    command,
    follow: async (primaryPort) => {
      await command('REPLICAOF', '127.0.0.1', String(primaryPort));
      await synchronised(primaryPort);
    },
    promote: async () => {
      await command('REPLICAOF', 'NO', 'ONE');
    },
    kill: () => redis.end('SIGKILL'),
    stop: () => redis.end('SIGTERM'),
  };
  try {
    await redis.waitUntil('answering', async () => (await command('PING')) === 'PONG');
    if (options.primaryPort) await synchronised(options.primaryPort);
  } catch (error) {
    await server.kill();
    throw error;
  }
  return server;
}

async function ask(port: number, ...words: string[]): Promise<string> {
  const { stdout } = await execute('redis-cli', ['-e', '-h', '127.0.0.1', '-p', String(port), ...words]);
  return stdout.trim();
}
