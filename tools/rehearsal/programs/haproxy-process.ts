import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { ALB_IDLE } from '../../../lib/constants';
import { startProgram } from './program';

export interface HaproxyProcessOptions {
  /** Folder for configuration, log and admin socket. Its path must be short for the socket. Created when missing. */
  readonly dir: string;
  /** TCP port on loopback that the configuration binds. */
  readonly port: number;
  /** The sections after `global` and `defaults`. */
  readonly configuration: string;
}

/** A running HAProxy. */
export interface HaproxyProcess {
  readonly pid: number;
  readonly port: number;
  readonly url: string;
  /** The output of `show stat`: a record per frontend, backend and server. */
  stats(): Promise<Readonly<Record<string, string>>[]>;
  /**
   * Sends commands to the admin socket.
   *
   * @see https://docs.haproxy.org/2.6/management.html#9.3
   */
  command(...commands: string[]): Promise<string>;
  /** Stops listening, closes each connection after its pending response, and exits. */
  drain(): Promise<void>;
  /** Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Starts HAProxy with the load balancer's timeouts. It stops when this process exits.
 *
 * @throws Error with the end of the log when haproxy is missing or does not start
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
    // The socket answers once all ports are bound. The port alone could belong to another program.
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
  # One thread is enough for a rehearsal. A second one would cost the servers CPU time for synchronization.
  nbthread 1
  # A drained connection closes with its next response. Closing it at once could cut off a request in flight.
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

/** Frontend directive behind another proxy: appends the proxy's address to `X-Forwarded-For`. */
export const APPEND_FORWARDED_FOR = 'option forwardfor';

/**
 * Frontend directives for simulated visitors. All of them connect from loopback, so `X-Forwarded-For` sets the source address
 * of each.
 */
export const TRUST_FORWARDED_FOR = `http-request set-src hdr_ip(x-forwarded-for,1) if { hdr(x-forwarded-for) -m found }
  http-request del-header x-forwarded-for
  option forwardfor`;

/** Parses CSV without quotes and with a trailing comma on each line. */
function records(csv: string): Record<string, string>[] {
  const [head = [], ...rows] = csv
    .replace(/^# /, '')
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  return rows.map((row) => Object.fromEntries(head.map((name, index) => [name, row[index] ?? ''])));
}
