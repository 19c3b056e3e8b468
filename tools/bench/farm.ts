import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fitUsl, type Usl } from '../planner/usl';
import { type CpuQuota, findCpuQuotas } from '../rehearsal/programs/cpu-quota';
import { startHaproxy } from '../rehearsal/programs/haproxy';
import { Parts, together } from '../rehearsal/programs/parts';
import { startPostgres } from '../rehearsal/programs/postgres';
import { startRedis } from '../rehearsal/programs/redis';
import { ServerGroup } from '../rehearsal/topology/server-group';
import { buildApp } from '../support/app-bundle';
import { requirePrograms } from '../support/doctor';
import { table } from '../support/table';
import { pinCpus } from './cpu-affinity';
import { runH2load } from './h2load';
import { type BenchOptions, measureInterleaved, threeDigits } from './rounds';
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

export interface FarmOptions extends BenchOptions {
  /**
   * File for the fitted parameters, the input of `npm run plan -- --usl FILE`.
   *
   * @default - no file
   */
  readonly usl?: string | undefined;
}

/**
 * Runs the benchmark `farm`: throughput of 1, 2, 5 and 10 servers of 0.1 vCPU behind the load balancer, as multiples of one.
 * Returns the exit code: 1 if a multiple misses its goal.
 *
 * @throws UsageError if a program is missing
 * @throws if CPU quotas are not available
 */
export async function benchFarm(options: FarmOptions): Promise<number> {
  requirePrograms('bench farm', ['haproxy', 'redis-server', 'h2load']);
  const quotas = findCpuQuotas();
  if (quotas === undefined)
    throw new Error('bench farm needs CPU quotas. Run it on Linux as a user with permission to create control groups.');
  const dir = mkdtempSync(join(tmpdir(), 'shop-farm-'));
  const parts = new Parts();
  try {
    const [postgres, redis] = await together([
      parts.add(startPostgres({ dir: join(dir, 'postgres'), settings: { max_connections: '200' } })),
      parts.add(startRedis({ dir: join(dir, 'redis') })),
    ]);
    await postgres.createDatabase('shop');
    const created: CpuQuota[] = [];
    const group = new ServerGroup({
      name: 'server',
      bundle: buildApp(),
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
      quota: (name) => {
        // A full CPU during the warm-up: at 0.1 CPU, JIT compilation takes longer than a round.
        const quota = quotas.create(name, 1);
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
    const [one, two, five, ten, five2, ten2] = await together([
      farms(1, 'leastconn'),
      farms(2, 'leastconn'),
      farms(5, 'leastconn'),
      farms(10, 'leastconn'),
      farms(5, 'roundrobin'),
      farms(10, 'roundrobin'),
    ]);
    const cookie = await userCookie(ten.urls[0] as string);
    /** Measures one farm while the others are idle. Each call takes the next farm. */
    const load = (path: string, perServer: number, cookieOf?: string) => {
      return ({ size, urls }: typeof ten, seconds = SECONDS, warmUp = WARM_UP) => {
        let turn = 0;
        return async () => {
          const url = `${urls[turn++ % urls.length]}${path}`;
          const connections = perServer * size;
          return { rps: await runH2load({ url, connections, seconds, warmUp, cookie: cookieOf }) };
        };
      };
    };
    const catalogue = load(CATALOGUE, CONNECTIONS.catalogue);
    const sessions = load(SESSION, CONNECTIONS.sessions, cookie);
    for (let turn = 0; turn < JIT_WARM_UP.turns; turn += 1) {
      // The same requests as measured: through the load balancer, which adds headers, and the catalogue without a cookie.
      for (const warmUp of [catalogue, sessions]) await warmUp(ten2, JIT_WARM_UP.seconds, 0)();
    }
    for (const quota of created) quota.resize(VCPU);
    const medians = await measureInterleaved(
      {
        '1 server': catalogue(one),
        '2 servers': catalogue(two),
        '5 servers': catalogue(five),
        '10 servers': catalogue(ten),
        '5 servers, round robin': catalogue(five2),
        '10 servers, round robin': catalogue(ten2),
        '1 server, sessions': sessions(one),
        '10 servers, sessions': sessions(ten),
      },
      options,
    );
    const fit = fitUsl([
      { servers: 1, rps: medians['1 server'].rps },
      { servers: 2, rps: medians['2 servers'].rps },
      { servers: 5, rps: medians['5 servers'].rps },
      { servers: 10, rps: medians['10 servers'].rps },
    ]);
    const times = (of: keyof typeof medians, base: keyof typeof medians = '1 server') =>
      medians[of].rps / medians[base].rps;
    const result = {
      rounds: options.rounds,
      vcpu: VCPU,
      rps: Object.fromEntries(Object.entries(medians).map(([name, { rps }]) => [name, rps])),
      times: {
        catalogue5: times('5 servers'),
        catalogue10: times('10 servers'),
        sessions10: times('10 servers, sessions', '1 server, sessions'),
        roundRobin5: times('5 servers, round robin'),
        roundRobin10: times('10 servers, round robin'),
      },
      goals: GOALS,
      usl: { ...fit, vcpus: VCPU },
    };
    if (options.usl) writeFileSync(options.usl, `${JSON.stringify({ usl: result.usl }, null, 2)}\n`);
    console.log(options.json ? JSON.stringify(result, null, 2) : render(result));
    return result.times.catalogue5 >= GOALS.catalogue5 &&
      result.times.catalogue10 >= GOALS.catalogue10 &&
      result.times.sessions10 >= GOALS.sessions10
      ? 0
      : 1;
  } finally {
    await parts.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

function render({ rps, times, usl }: { rps: Record<string, number>; times: Record<string, number>; usl: Usl }): string {
  const goal = (name: keyof typeof GOALS) => `${(times[name] as number).toFixed(2)}x (goal: ${GOALS[name]}x)`;
  const plain = (name: string) => `${(times[name] as number).toFixed(2)}x`;
  const multiples: Record<string, string> = {
    '5 servers': goal('catalogue5'),
    '10 servers': goal('catalogue10'),
    '5 servers, round robin': plain('roundRobin5'),
    '10 servers, round robin': plain('roundRobin10'),
    '10 servers, sessions': goal('sessions10'),
  };
  const rows = Object.entries(rps).map(([name, value]) => [name, threeDigits(value), multiples[name] ?? '']);
  const { lambda, sigma, kappa } = usl;
  return `${table([`servers of ${VCPU} vCPU`, 'requests/s', 'vs. one'], rows)}

Universal Scalability Law: lambda ${threeDigits(lambda)} requests/s, sigma ${sigma.toPrecision(3)}, kappa ${kappa.toPrecision(3)}`;
}
