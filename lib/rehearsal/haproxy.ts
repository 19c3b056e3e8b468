import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { ALB_IDLE, HEALTH_INTERVAL, HEALTH_UNHEALTHY_COUNT } from '../constants';
import { freePort } from '../processes';
import { startProgram } from './program';

export interface HaproxyOptions {
  /** Folder of its configuration and its log. Made when missing. */
  readonly dir: string;

  /** TCP ports of the servers on loopback. */
  readonly servers: readonly number[];

  /**
   * TCP port on loopback.
   *
   * @default - a free one
   */
  readonly port?: number;

  /**
   * How a server is chosen for a request: in turn, the one with the fewest requests in flight, or by the client's address.
   *
   * @default 'roundrobin'
   */
  readonly balance?: 'roundrobin' | 'leastconn' | 'source';

  /**
   * Seconds between two checks of `/readyz`.
   *
   * @default - the load balancer's, 5 seconds
   */
  readonly healthInterval?: number;

  /**
   * Requests that each server works on at once. As many more wait for their turn; what is beyond that is refused here, with
   * 503 and `Retry-After`. An Application Load Balancer has no such bound.
   *
   * @default - no bound
   */
  readonly maxInFlight?: number;
}

/** A running HAProxy in the place of an Application Load Balancer. */
export interface Haproxy {
  readonly pid: number;
  readonly port: number;
  readonly url: string;
  /** Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Starts HAProxy before the servers, with the load balancer's timeouts and health check. As that, it tries no request again on
 * another server. It stops by itself when this process dies.
 *
 * @throws when haproxy is not here or does not start; with the end of its log
 */
export async function startHaproxy(options: HaproxyOptions): Promise<Haproxy> {
  const dir = resolve(options.dir);
  mkdirSync(dir, { recursive: true });
  const port = options.port ?? (await freePort());
  const file = join(dir, 'haproxy.cfg');
  writeFileSync(file, configuration(options, port));
  const haproxy = startProgram('haproxy', ['-f', file], join(dir, 'haproxy.log'));
  const stop = () => haproxy.end('SIGTERM');
  try {
    await haproxy.until('listening', () => accepts(port));
  } catch (error) {
    await stop();
    throw error;
  }
  return { pid: haproxy.pid, port, url: `http://127.0.0.1:${port}`, stop };
}

function configuration(options: HaproxyOptions, port: number): string {
  const { servers, balance = 'roundrobin', healthInterval = HEALTH_INTERVAL, maxInFlight } = options;
  const bound = maxInFlight === undefined ? '' : ` maxconn ${maxInFlight}`;
  const check = `check inter ${healthInterval}s fall ${HEALTH_UNHEALTHY_COUNT} rise 2${bound}`;
  const refusal =
    maxInFlight === undefined
      ? ''
      : `  http-request return status 503 hdr retry-after 1 if { queue(servers) ge ${maxInFlight * servers.length} }\n`;
  return `global
  maxconn 4000
  log stdout format raw local0 notice

defaults
  mode http
  log global
  retries 0
  option forwardfor
  timeout connect 5s
  timeout client ${ALB_IDLE}s
  timeout server ${ALB_IDLE}s
  timeout http-request 30s
  timeout http-keep-alive ${ALB_IDLE}s

frontend shop
  bind 127.0.0.1:${port}
${refusal}  default_backend servers

backend servers
  balance ${balance}
  option httpchk GET /readyz
  http-check expect status 200
${servers.map((server, index) => `  server server-${index + 1} 127.0.0.1:${server} ${check}`).join('\n')}
`;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => done(false));
  });
}
