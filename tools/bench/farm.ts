import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fitUsl, type Usl } from '../planner/usl';
import { type CpuQuota, type CpuQuotas, findCpuQuotas } from '../rehearsal/programs/cpu-quota';
import { startHaproxy } from '../rehearsal/programs/haproxy';
import { Parts, together } from '../rehearsal/programs/parts';
import { startPostgres } from '../rehearsal/programs/postgres';
import { startRedis } from '../rehearsal/programs/redis';
import { ServerGroup } from '../rehearsal/topology/server-group';
import { type AppBundle, buildApp } from '../support/app-bundle';
import { requirePrograms } from '../support/doctor';
import { table } from '../support/table';
import { buildShopAt } from './against';
import { pinCpus } from './cpu-affinity';
import { runH2load } from './h2load';
import { MAX_FAILED_SHARE, type Throughput } from './load';
import { type AgainstOptions, measureInterleaved, percent, threeDigits } from './rounds';
import { SHOP_ENV, userCookie } from './shop';

/** CPU quota of each server. */
const VCPU = 0.1;

/**
 * Maximum number of servers. Together they use one CPU, and the kernel another tenth for their network traffic, outside of any
 * quota. So the servers are not pinned; only the load balancer and the load generator are.
 */
const SERVERS = 10;

/**
 * A catalogue page. The list as JSON is so cheap that load balancer and load generator would be the bottleneck with ten
 * servers.
 */
const CATALOGUE = '/products/1';
const SESSION = '/api/me';

/**
 * Requests in flight per server: enough to keep its queue filled while the CPU quota throttles it. Fewer for sessions, so that
 * none exceeds the shop's Redis timeout: at 0.1 CPU, 20 ms of work take 200 ms.
 */
const CONNECTIONS = { catalogue: 64, sessions: 4 };

/**
 * Seconds per measurement. Short, so that noise from the host, which lasts about ten seconds, affects every case of a round.
 * Two seconds of 0.1 CPU vary a lot, so this benchmark needs more rounds than the others.
 */
const SECONDS = 2;

/** Seconds of warm-up before each measurement: after 30 s without requests, the CPU caches are cold. */
const WARM_UP = 1;

/** V8 optimizes for one path and deoptimizes when the other path follows, so the paths alternate. */
const JIT_WARM_UP = { turns: 3, seconds: 5 };

/** Minimum throughput, as a multiple of one server. */
const GOALS = { catalogue5: 4.5, catalogue10: 8.5, sessions10: 7 };

export interface FarmOptions extends AgainstOptions {
  /**
   * File for the fitted parameters, the input of `npm run plan -- --usl FILE`.
   *
   * @default - no file
   */
  readonly usl?: string | undefined;
}

/**
 * Runs the benchmark `farm`: throughput of 1, 2, 5 and 10 servers of 0.1 vCPU behind the load balancer, as multiples of one, and
 * of 1 and 10 servers with the shop of `--against`. Returns the exit code: 1 if a goal is missed.
 *
 * @throws UsageError if a program is missing
 * @throws if CPU quotas are not available
 */
export async function benchFarm(options: FarmOptions): Promise<number> {
  requirePrograms('bench farm', ['haproxy', 'redis-server', 'h2load']);
  const quotas = findCpuQuotas();
  if (quotas === undefined)
    throw new Error('bench farm needs CPU quotas. Run it on Linux as a user with permission to create control groups.');
  const at = options.against === undefined ? undefined : buildShopAt(options.against);
  const dir = mkdtempSync(join(tmpdir(), 'shop-farm-'));
  const parts = new Parts();
  try {
    const start = (name: string, bundle: AppBundle) =>
      startServers({ name, bundle, dir: join(dir, name), quotas, parts });
    const { farms, catalogue, sessions } = await start('own', buildApp());
    const [one, two, five, ten, five2, ten2] = await together([
      farms(1, 'leastconn'),
      farms(2, 'leastconn'),
      farms(5, 'leastconn'),
      farms(10, 'leastconn'),
      farms(5, 'roundrobin'),
      farms(10, 'roundrobin'),
    ]);
    const others = at ? await loadsAt(at.commit, await start('other', at.bundle)) : {};
    const measured: Readonly<Record<string, Throughput>> = await measureInterleaved(
      {
        '1 server': catalogue(one),
        '2 servers': catalogue(two),
        '5 servers': catalogue(five),
        '10 servers': catalogue(ten),
        '5 servers, round robin': catalogue(five2),
        '10 servers, round robin': catalogue(ten2),
        '1 server, sessions': sessions(one),
        '10 servers, sessions': sessions(ten),
        ...others,
      },
      options,
    );
    const rps = (name: string) => (measured[name] as Throughput).rps;
    const times = (of: string, base = '1 server') => rps(of) / rps(base);
    const result = {
      rounds: options.rounds,
      vcpu: VCPU,
      rps: Object.fromEntries(Object.entries(measured).map(([name, one]) => [name, one.rps])),
      failedShare: Object.fromEntries(Object.entries(measured).map(([name, one]) => [name, one.failedShare])),
      maxFailedShare: MAX_FAILED_SHARE,
      times: {
        catalogue5: times('5 servers'),
        catalogue10: times('10 servers'),
        sessions10: times('10 servers, sessions', '1 server, sessions'),
        roundRobin5: times('5 servers, round robin'),
        roundRobin10: times('10 servers, round robin'),
      },
      goals: GOALS,
      against: at && {
        commit: at.commit,
        ...Object.fromEntries(COMPARED.map((name) => [name, times(name, nameAt(name, at.commit))])),
      },
      usl: {
        ...fitUsl([
          { servers: 1, rps: rps('1 server') },
          { servers: 2, rps: rps('2 servers') },
          { servers: 5, rps: rps('5 servers') },
          { servers: 10, rps: rps('10 servers') },
        ]),
        vcpus: VCPU,
      },
    };
    if (options.usl) writeFileSync(options.usl, `${JSON.stringify({ usl: result.usl }, null, 2)}\n`);
    console.log(options.json ? JSON.stringify(result, null, 2) : render(result));
    const failed = Object.entries(result.failedShare).filter(([name]) => !(name in others));
    return result.times.catalogue5 >= GOALS.catalogue5 &&
      result.times.catalogue10 >= GOALS.catalogue10 &&
      result.times.sessions10 >= GOALS.sessions10 &&
      failed.every(([, share]) => share <= MAX_FAILED_SHARE)
      ? 0
      : 1;
  } finally {
    await parts.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Cases that are also measured with the shop of `--against`. */
const COMPARED = ['1 server', '10 servers', '1 server, sessions', '10 servers, sessions'] as const;

function nameAt(name: string, commit: string): string {
  return `${name} at ${commit}`;
}

type Servers = Awaited<ReturnType<typeof startServers>>;

async function loadsAt(commit: string, { farms, catalogue, sessions }: Servers) {
  const [one, ten] = await together([farms(1, 'leastconn'), farms(10, 'leastconn')]);
  const loads = [catalogue(one), catalogue(ten), sessions(one), sessions(ten)];
  return Object.fromEntries(COMPARED.map((name, index) => [nameAt(name, commit), loads[index]]));
}

interface ServersOptions {
  /** Prefix of the names of CPU quotas, and folder below `dir`. */
  readonly name: string;
  readonly bundle: AppBundle;
  readonly dir: string;
  readonly quotas: CpuQuotas;
  /** Stops what this starts. */
  readonly parts: Parts;
}

/** Starts {@link SERVERS} servers with a PostgreSQL and a Redis, warms them up, and limits them to {@link VCPU}. */
async function startServers({ name, bundle, dir, quotas, parts }: ServersOptions) {
  mkdirSync(dir, { recursive: true });
  const [postgres, redis] = await together([
    parts.add(startPostgres({ dir: join(dir, 'postgres'), settings: { max_connections: '200' } })),
    parts.add(startRedis({ dir: join(dir, 'redis') })),
  ]);
  await postgres.createDatabase('shop');
  const created: CpuQuota[] = [];
  const group = new ServerGroup({
    name: 'server',
    bundle,
    dir,
    env: {
      ...SHOP_ENV,
      LOG_LEVEL: 'warn',
      // The shop would treat CPU throttling as overload.
      LOAD_SHEDDING: 'false',
      DATABASE_URL: postgres.url(),
      SESSION_STORE: 'redis',
      REDIS_URL: redis.url,
      MAX_SERVERS: String(SERVERS),
    },
    spot: false,
    vcpu: VCPU,
    quota: (server) => {
      // A full CPU during the warm-up: at 0.1 CPU, JIT compilation takes longer than a round.
      const quota = quotas.create(`${name}-${server}`, 1);
      created.push(quota);
      return quota;
    },
    detectionSeconds: 0,
    boot: 0,
    onEvent: () => {},
  });
  await parts.add(group);
  await group.begin(SERVERS);
  const ports = group.inService.map(({ shop }) => shop?.port as number);
  /** Partitions the servers into farms of `size`, so that each server counts equally in every result. */
  const farms = async (size: number, balance: 'leastconn' | 'roundrobin') => {
    const firsts = ports.flatMap((_, index) => (index % size === 0 ? [index] : []));
    const started = firsts.map(async (first) => {
      const servers = ports.slice(first, first + size);
      const balancer = await parts.add(
        startHaproxy({ dir: join(dir, `${balance}-${size}-${first}`), servers, balance }),
      );
      pinCpus(balancer.pid, 'support');
      return balancer.url;
    });
    return { size, urls: await together(started) };
  };
  const all = await farms(SERVERS, 'roundrobin');
  const cookie = await userCookie(all.urls[0] as string);
  /** Measures one farm while the others are idle. Each call takes the next farm. */
  const load = (path: string, perServer: number, sessionCookie?: string) => {
    return ({ size, urls }: typeof all, seconds = SECONDS, warmUp = WARM_UP) => {
      let turn = 0;
      return () => {
        const url = `${urls[turn++ % urls.length]}${path}`;
        return runH2load({ url, connections: perServer * size, seconds, warmUp, cookie: sessionCookie });
      };
    };
  };
  const catalogue = load(CATALOGUE, CONNECTIONS.catalogue);
  const sessions = load(SESSION, CONNECTIONS.sessions, cookie);
  for (let turn = 0; turn < JIT_WARM_UP.turns; turn += 1) {
    // The same requests as measured: through the load balancer, which adds headers, and the catalogue without a cookie.
    for (const warmUp of [catalogue, sessions]) await warmUp(all, JIT_WARM_UP.seconds, 0)();
  }
  for (const quota of created) quota.resize(VCPU);
  return { farms, catalogue, sessions };
}

interface Rendered {
  readonly rps: Readonly<Record<string, number>>;
  readonly failedShare: Readonly<Record<string, number>>;
  readonly times: Readonly<Record<string, number>>;
  readonly against: Readonly<Record<string, string | number>> | undefined;
  readonly usl: Usl;
}

function render({ rps, failedShare, times, against, usl }: Rendered): string {
  const goal = (name: keyof typeof GOALS) => `${(times[name] as number).toFixed(2)}x (goal: ${GOALS[name]}x)`;
  const plain = (name: string) => `${(times[name] as number).toFixed(2)}x`;
  const multiples: Record<string, string> = {
    '5 servers': goal('catalogue5'),
    '10 servers': goal('catalogue10'),
    '5 servers, round robin': plain('roundRobin5'),
    '10 servers, round robin': plain('roundRobin10'),
    '10 servers, sessions': goal('sessions10'),
  };
  const rows = Object.entries(rps).map(([name, value]) => [
    name,
    threeDigits(value),
    multiples[name] ?? '',
    percent(failedShare[name] as number),
  ]);
  rows.push(['goal', '', '', `at most ${percent(MAX_FAILED_SHARE)}`]);
  const compared = COMPARED.map((name) => `${name}: ${Number(against?.[name]).toFixed(2)}x`);
  const note = against ? `\n\nThe shop, as a multiple of ${against.commit}: ${compared.join('; ')}.` : '';
  const { lambda, sigma, kappa } = usl;
  return `${table([`servers of ${VCPU} vCPU`, 'requests/s', 'vs. one', 'failed'], rows)}${note}

Universal Scalability Law: lambda ${threeDigits(lambda)} requests/s, sigma ${sigma.toPrecision(3)}, kappa ${kappa.toPrecision(3)}`;
}
