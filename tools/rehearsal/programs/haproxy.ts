import {
  HEALTH_HEALTHY_COUNT,
  HEALTH_INTERVAL,
  HEALTH_PATH,
  HEALTH_TIMEOUT,
  HEALTH_UNHEALTHY_COUNT,
} from '../../../lib/constants';
import { freePort } from '../../support/processes';
import { APPEND_FORWARDED_FOR, startHaproxyProcess, TRUST_FORWARDED_FOR } from './haproxy-process';

export interface HaproxyOptions {
  /** Folder for configuration, log and admin socket. Its path must be short for the socket. Created when missing. */
  readonly dir: string;

  /**
   * TCP ports on loopback of servers that are ready.
   *
   * @default - none
   */
  readonly servers?: readonly number[];

  /**
   * Maximum number of registered servers.
   *
   * @default - the number of `servers`
   */
  readonly maxServers?: number;

  /**
   * TCP port on loopback.
   *
   * @default - a free one
   */
  readonly port?: number;

  /**
   * Balancing algorithm: round robin, fewest requests in flight, client address, or a sticky cookie.
   *
   * @default 'roundrobin'
   */
  readonly balance?: 'roundrobin' | 'leastconn' | 'source' | 'sticky';

  /**
   * OSI layer: 7 balances requests as an ALB does, 4 balances connections as an NLB does. `sticky` requires 7.
   *
   * @default 7
   */
  readonly layer?: 4 | 7;

  /**
   * Whether an edge in front sets the visitor's address.
   *
   * @default false
   */
  readonly behindEdge?: boolean;

  /**
   * Seconds between two health checks.
   *
   * @default - the load balancer's interval, 5 seconds
   */
  readonly healthInterval?: number;

  /**
   * Maximum requests in flight per server. HAProxy queues as many more and refuses the rest with 503 and `Retry-After`.
   * An Application Load Balancer has no such limit.
   *
   * @default - no limit
   */
  readonly maxInFlight?: number;
}

/** A running HAProxy as a stand-in for an Application Load Balancer. */
export interface Haproxy {
  readonly pid: number;
  readonly port: number;
  readonly url: string;
  /**
   * Registers a server. It receives requests once healthy, or at once when `healthy` is true.
   *
   * @throws when all slots are taken
   */
  register(port: number, healthy?: boolean): Promise<void>;
  /** Deregisters a server: no new requests, while requests in flight complete. */
  deregister(port: number): Promise<void>;
  /** Registered servers by port. */
  targets(): Promise<ReadonlyMap<number, Target>>;
  /** Stops listening, closes each connection after its pending response, and exits. */
  drain(): Promise<void>;
  /** Safe to call twice. */
  stop(): Promise<void>;
}

/** A registered server. Counters start at its registration. */
export interface Target {
  readonly healthy: boolean;
  /** Requests, or connections with layer 4. */
  readonly requests: number;
  /** Responses with 5xx, refused connections, and truncated responses. */
  readonly failures: number;
  readonly inFlight: number;
}

/** Response header with the port of the server that answered; absent with layer 4. */
export const SERVED_BY = 'x-served-by';

/**
 * Starts HAProxy with the load balancer's timeouts and health check. Like an ALB, it does not retry requests on another server.
 * It stops when this process exits.
 *
 * @throws Error with the end of the log when haproxy is missing or does not start
 */
export async function startHaproxy(options: HaproxyOptions): Promise<Haproxy> {
  const { dir, servers = [], maxServers = servers.length } = options;
  const port = options.port ?? (await freePort());
  const haproxy = await startHaproxyProcess({ dir, port, configuration: configuration(options, port) });

  /** HAProxy's server slots are fixed at the start and reused. Their counters keep the totals of earlier servers. */
  const slots = Array.from({ length: maxServers }, (_, index) => ({
    name: `server-${index + 1}`,
    port: servers[index],
    requests: 0,
    failures: 0,
  }));
  const names = (slot: string) => (failsOpen(options) ? [slot, unchecked(slot)] : [slot]);
  const records = async () => {
    const stats = await haproxy.stats();
    return new Map(stats.filter(({ pxname }) => pxname === BACKEND).map((record) => [record.svname, record]));
  };
  return {
    pid: haproxy.pid,
    port,
    url: haproxy.url,
    register: async (server, healthy = false) => {
      const slot = slots.find((one) => one.port === undefined);
      if (slot === undefined) throw new Error(`The balancer has no free slot: all ${maxServers} are in use.`);
      slot.port = server;
      const before = counters(await records(), names(slot.name));
      Object.assign(slot, { requests: before.requests, failures: before.failures });
      const commands = names(slot.name).flatMap((name) => [
        `set server ${BACKEND}/${name} addr 127.0.0.1 port ${server}`,
        `set server ${BACKEND}/${name} state ready`,
      ]);
      // HAProxy considers a server healthy when it leaves maintenance.
      await haproxy.command(...commands, `set server ${BACKEND}/${slot.name} health ${healthy ? 'up' : 'down'}`);
    },
    deregister: async (server) => {
      const slot = slots.find((one) => one.port === server);
      if (slot === undefined) return;
      await haproxy.command(...names(slot.name).map((name) => `set server ${BACKEND}/${name} state maint`));
      slot.port = undefined;
    },
    targets: async () => {
      const found = await records();
      return new Map(
        slots.flatMap((slot) => {
          if (slot.port === undefined) return [];
          const now = counters(found, names(slot.name));
          const since = { requests: now.requests - slot.requests, failures: now.failures - slot.failures };
          return [[slot.port, { ...now, ...since }]];
        }),
      );
    },
    drain: haproxy.drain,
    stop: haproxy.stop,
  };
}

const BACKEND = 'servers';

/**
 * Fails open like an AWS load balancer: when no server is healthy, all receive requests. Each server gets a twin without health
 * checks as `backup` for that. Not with sticky cookies, because twins would share them.
 *
 * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
 */
function failsOpen({ balance }: HaproxyOptions): boolean {
  return balance !== 'sticky';
}

function unchecked(slot: string): string {
  return `unchecked-${slot}`;
}

/** @param names names of the server, the checked one first */
function counters(
  found: ReadonlyMap<string | undefined, Readonly<Record<string, string>>>,
  names: readonly string[],
): Target {
  const records = names.map((name) => found.get(name) ?? {});
  const [checked = {}] = records;
  const number = (column: string) => records.reduce((sum, record) => sum + Number(record[column] ?? 0), 0);
  return {
    // A server with `UP 1/2` has failed a check and still receives requests.
    healthy: checked.status?.startsWith('UP') ?? false,
    requests: number('stot'),
    failures: number('hrsp_5xx') + number('econ') + number('eresp'),
    inFlight: number('scur'),
  };
}

function configuration(options: HaproxyOptions, port: number): string {
  const { servers = [], maxServers = servers.length, balance = 'roundrobin', layer = 7, behindEdge = false } = options;
  const { healthInterval = HEALTH_INTERVAL, maxInFlight } = options;
  const bound = maxInFlight === undefined ? '' : `maxconn ${maxInFlight}`;
  const check = `check inter ${Math.round(healthInterval * 1000)}ms fall ${HEALTH_UNHEALTHY_COUNT} rise ${HEALTH_HEALTHY_COUNT} ${bound}`;
  const slots = Array.from({ length: maxServers }, (_, index) => {
    const state = servers[index] === undefined ? 'disabled' : '';
    const name = `server-${index + 1}`;
    const address = `127.0.0.1:${servers[index] ?? 1}`;
    const checked = `  server ${name} ${address} ${check} ${state}`;
    return failsOpen(options) ? `${checked}\n  server ${unchecked(name)} ${address} backup ${state}` : checked;
  });
  return `frontend shop
  mode ${layer === 7 ? 'http' : 'tcp'}
  bind 127.0.0.1:${port}
  ${layer === 7 ? (behindEdge ? APPEND_FORWARDED_FOR : TRUST_FORWARDED_FOR) : ''}
  ${maxInFlight === undefined ? '' : refusal(maxInFlight)}
  default_backend ${BACKEND}

backend ${BACKEND}
  mode ${layer === 7 ? 'http' : 'tcp'}
  balance ${balance === 'sticky' ? 'roundrobin' : balance}
  ${balance === 'sticky' ? STICKY : ''}
  ${layer === 7 ? `http-response set-header ${SERVED_BY} %sp` : ''}
  timeout check ${HEALTH_TIMEOUT}s
  option httpchk GET ${HEALTH_PATH}
  http-check expect status 200
  option allbackups
${slots.join('\n')}
`;
}

/** Only servers that are up contribute to the queue's capacity. */
function refusal(maxInFlight: number): string {
  return `http-request set-var(txn.room) nbsrv(${BACKEND}),mul(${maxInFlight})
  http-request return status 503 hdr retry-after 1 if { queue(${BACKEND}),sub(txn.room) ge 0 }`;
}

/** Name of the ALB's cookie. */
export const STICKY_COOKIE = 'AWSALB';

const STICKY = `dynamic-cookie-key shop
  cookie ${STICKY_COOKIE} insert indirect nocache dynamic`;
