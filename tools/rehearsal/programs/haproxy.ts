import {
  HEALTH_HEALTHY_COUNT,
  HEALTH_INTERVAL,
  HEALTH_PATH,
  HEALTH_TIMEOUT,
  HEALTH_UNHEALTHY_COUNT,
} from '../../../lib/constants';
import { freePort } from '../../support/processes';
import { APPEND_FORWARDED_FOR, TRUST_FORWARDED_FOR, startHaproxyProcess } from './haproxy-process';

export interface HaproxyOptions {
  /** Folder of its configuration, its log and its admin socket, so that its path must be short. Made when missing. */
  readonly dir: string;

  /**
   * TCP ports of servers on loopback that are ready already.
   *
   * @default - none
   */
  readonly servers?: readonly number[];

  /**
   * Most servers at one time.
   *
   * @default - as many as `servers`
   */
  readonly maxServers?: number;

  /**
   * TCP port on loopback.
   *
   * @default - a free one
   */
  readonly port?: number;

  /**
   * How a server is chosen for a request: in turn, the one with the fewest requests in flight, by the client's address, or
   * for each visitor the same one, by a cookie.
   *
   * @default 'roundrobin'
   */
  readonly balance?: 'roundrobin' | 'leastconn' | 'source' | 'sticky';

  /**
   * Whether a server is chosen for each request (7, as an ALB does) or for each connection (4, as an NLB does). A cookie
   * needs 7.
   *
   * @default 7
   */
  readonly layer?: 4 | 7;

  /**
   * Whether an edge stands in front, which tells the visitor's address.
   *
   * @default false
   */
  readonly behindEdge?: boolean;

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

/** A running HAProxy in the slot of an Application Load Balancer. */
export interface Haproxy {
  readonly pid: number;
  readonly port: number;
  readonly url: string;
  /**
   * Registers a server. It gets requests once it has passed its health checks, or at once when `healthy`.
   *
   * @throws when all slots are taken
   */
  register(port: number, healthy?: boolean): Promise<void>;
  /** As a target group does: no request from now on, those in flight end. */
  deregister(port: number): Promise<void>;
  /** Of the servers that are registered, by port. */
  targets(): Promise<ReadonlyMap<number, Target>>;
  /** Takes no new connection, closes those that are open after the answer that they wait for, and ends. */
  drain(): Promise<void>;
  /** Safe to call twice. */
  stop(): Promise<void>;
}

/** A registered server; counters are since it was registered. */
export interface Target {
  readonly healthy: boolean;
  /** Requests, or connections with layer 4. */
  readonly requests: number;
  /** Answers of 5xx, connections refused and answers cut off. */
  readonly failures: number;
  readonly inFlight: number;
}

/** Header in which the balancer tells the port of the server that answered; with layer 4 it knows of no answers. */
export const SERVED_BY = 'x-served-by';

/**
 * Starts HAProxy with the load balancer's timeouts and health check. As that, it tries no request again on another server.
 * It stops by itself when this process dies.
 *
 * @throws when haproxy is not here or does not start; with the end of its log
 */
export async function startHaproxy(options: HaproxyOptions): Promise<Haproxy> {
  const { dir, servers = [], maxServers = servers.length } = options;
  const port = options.port ?? (await freePort());
  const haproxy = await startHaproxyProcess({ dir, port, configuration: configuration(options, port) });

  /** Places for servers are fixed at the start; who stands in one is not. Their counters go on counting. */
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
      if (slot === undefined) throw new Error(`all ${maxServers} slots of the balancer are taken`);
      slot.port = server;
      const before = counters(await records(), names(slot.name));
      Object.assign(slot, { requests: before.requests, failures: before.failures });
      const commands = names(slot.name).flatMap((name) => [
        `set server ${BACKEND}/${name} addr 127.0.0.1 port ${server}`,
        `set server ${BACKEND}/${name} state ready`,
      ]);
      // It is taken for healthy when it comes out of maintenance.
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
 * As a load balancer of AWS, it sends requests to all servers when none of them is healthy: each has a twin that is not checked
 * and only gets requests then. Twins would share the visitor's cookie, so there are none with it.
 *
 * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
 */
function failsOpen({ balance }: HaproxyOptions): boolean {
  return balance !== 'sticky';
}

function unchecked(slot: string): string {
  return `unchecked-${slot}`;
}

/** @param names of the server, the checked one first */
function counters(
  found: ReadonlyMap<string | undefined, Readonly<Record<string, string>>>,
  names: readonly string[],
): Target {
  const records = names.map((name) => found.get(name) ?? {});
  const [checked = {}] = records;
  const number = (column: string) => records.reduce((sum, record) => sum + Number(record[column] ?? 0), 0);
  return {
    // `UP 1/2` has failed a check and still gets requests.
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

/** Servers that are down, and slots without one, let nobody wait. */
function refusal(maxInFlight: number): string {
  return `http-request set-var(txn.room) nbsrv(${BACKEND}),mul(${maxInFlight})
  http-request return status 503 hdr retry-after 1 if { queue(${BACKEND}),sub(txn.room) ge 0 }`;
}

/** Named as the ALB's. */
export const STICKY_COOKIE = 'AWSALB';

const STICKY = `dynamic-cookie-key shop
  cookie ${STICKY_COOKIE} insert indirect nocache dynamic`;
