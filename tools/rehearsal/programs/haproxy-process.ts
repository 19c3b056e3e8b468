import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { ALB_IDLE } from '../../../lib/constants';
import { startProgram } from './program';

export interface HaproxyProcessOptions {
  /** Folder of its configuration, its log and its admin socket, so that its path must be short. Made when missing. */
  readonly dir: string;
  /** TCP port on loopback that its configuration binds. */
  readonly port: number;
  /** Everything after the sections `global` and `defaults`. */
  readonly configuration: string;
}

/** A running HAProxy, whatever it is there for. */
export interface HaproxyProcess {
  readonly pid: number;
  readonly port: number;
  readonly url: string;
  /** What `show stat` tells: a record for each frontend, backend and server. */
  stats(): Promise<Readonly<Record<string, string>>[]>;
  /**
   * Sends commands to the admin socket.
   *
   * @see https://docs.haproxy.org/2.6/management.html#9.3
   */
  command(...commands: string[]): Promise<string>;
  /** Takes no new connection, closes those that are open after the answer that they wait for, and ends. */
  drain(): Promise<void>;
  /** Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Starts HAProxy with the load balancer's timeouts. It stops by itself when this process dies.
 *
 * @throws when haproxy is not here or does not start; with the end of its log
 */
export async function startHaproxyProcess(options: HaproxyProcessOptions): Promise<HaproxyProcess> {
  const dir = resolve(options.dir);
  const { port } = options;
  mkdirSync(dir, { recursive: true });
  const file = join(dir, 'haproxy.cfg');
  const socket = join(dir, 'admin.sock');
  writeFileSync(file, `${common(socket)}\n${options.configuration}`);
  const haproxy = startProgram('haproxy', ['-f', file], join(dir, 'haproxy.log'));
  const stop = () => haproxy.end('SIGTERM');
  const command = async (...commands: string[]) => {
    const connection = connect(socket);
    connection.end(`${commands.join(';')}\n`);
    return text(connection);
  };
  try {
    // It answers there once it has bound everything; the port alone may be somebody else's.
    await haproxy.waitUntil('answering', async () => (await command('show info')).includes(`Pid: ${haproxy.pid}\n`));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    pid: haproxy.pid,
    port,
    url: `http://127.0.0.1:${port}`,
    command,
    stats: async () => records(await command('show stat')),
    drain: () => haproxy.end('SIGUSR1'),
    stop,
  };
}

function common(socket: string): string {
  return `global
  maxconn 4000
  # One carries more than any rehearsal brings; a second would take time from the servers for keeping both in step.
  nbthread 1
  # A connection that is drained ends with its next answer; at once, a request could be on its way already.
  close-spread-time 5s
  stats socket ${socket} mode 600 level admin

defaults
  retries 0
  timeout connect 5s
  timeout client ${ALB_IDLE}s
  timeout server ${ALB_IDLE}s
  timeout http-request 30s
  timeout http-keep-alive ${ALB_IDLE}s
`;
}

/** Lines of a frontend that a proxy sends requests to: its address is added to those in `X-Forwarded-For`. */
export const APPEND_FORWARDED_FOR = 'option forwardfor';

/**
 * Lines of a frontend that visitors come to. All of them come from this machine, so each may say by `X-Forwarded-For` which
 * address it stands for; it is then as if the connection came from there.
 */
export const TRUST_FORWARDED_FOR = `http-request set-src hdr_ip(x-forwarded-for,1) if { hdr(x-forwarded-for) -m found }
  http-request del-header x-forwarded-for
  option forwardfor`;

/** CSV without quotes, and a comma at the end of each line. */
function records(csv: string): Record<string, string>[] {
  const [head = [], ...rows] = csv
    .replace(/^# /, '')
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  return rows.map((row) => Object.fromEntries(head.map((name, index) => [name, row[index] ?? ''])));
}
