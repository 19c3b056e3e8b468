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
import { checkParts } from '../support/doctor';
import { table } from '../support/table';
import { cheapFullLoad } from './h2load';
import { place } from './processors';
import { type BenchOptions, brief, measureInTurn } from './rounds';
import { cookieOfUser, SHOP_ENV } from './shop';

/** What each server may use. */
const VCPU = 0.1;

/**
 * Most servers that are measured. Together they use a processor, and the kernel's work for their answers, which counts towards no
 * quota, a tenth of one: they may run on any, and only the balancer and the load's source are kept to theirs.
 */
const SERVERS = 10;

/**
 * A page of the catalogue. The list as JSON costs a server so little that ten of them would give more than the balancer and the
 * load's source can take beside them.
 */
const CATALOGUE = '/products/1';
const SESSION = '/api/me';

/**
 * Requests in flight for each server: enough that the next ones wait there already when it gets its turn on the processor.
 * Of sessions, few enough that none waits longer for Redis than the shop does: a pause of 20 ms takes a tenth of a processor 200.
 */
const CONNECTIONS = { catalogue: 64, sessions: 4 };

/**
 * Short, and a round with it: what comes and goes with the machine below, in some ten seconds, meets all that is compared. A
 * tenth of a processor for two seconds is little, so that it takes more rounds than for other benches.
 */
const SECONDS = 2;

/** Seconds before that which do not count: after half a minute without requests, a server begins with cold caches. */
const LEAD_IN = 1;

/** The runtime compiles what each path finds hot, and again when the other path has shown it more: in turn, and long enough. */
const WARM_UP = { turns: 3, seconds: 5 };

/** So many times the work of one server, at least. */
const GOALS = { catalogue5: 4.5, catalogue10: 8.5, sessions10: 7 };

export interface FarmOptions extends BenchOptions {
  /**
   * File that the fit is written to, for `npm run plan -- --usl FILE`.
   *
   * @default - it is only printed
   */
  readonly usl?: string | undefined;
}

/**
 * The bench `farm`: what 1, 2, 5 and 10 servers of 0.1 vCPU carry behind the balancer, as multiples of one. Returns the exit
 * code: 1 when a multiple misses its goal.
 *
 * @throws UsageError when a program is missing
 * @throws where servers cannot be held to a share of a processor
 */
export async function benchFarm(options: FarmOptions): Promise<number> {
  checkParts('bench farm', ['haproxy', 'redis-server', 'h2load']);
  const quotas = findCpuQuotas();
  if (quotas === undefined)
    throw new Error('this bench needs CPU quotas: Linux, and a user who may make control groups');
  const dir = mkdtempSync(join(tmpdir(), 'shop-farm-'));
  const parts = new Parts();
  try {
    const [postgres, redis] = await together([
      parts.add(startPostgres({ dir: join(dir, 'postgres'), settings: { max_connections: '200' } })),
      parts.add(startRedis({ dir: join(dir, 'redis') })),
    ]);
    await postgres.createDatabase('shop');
    const shares: CpuQuota[] = [];
    const group = new ServerGroup({
      name: 'server',
      bundle: buildApp(),
      dir,
      env: {
        ...SHOP_ENV,
        LOG_LEVEL: 'warn',
        // A server that waits for its share of the processor would take that for overload.
        LOAD_SHEDDING: 'false',
        DATABASE_URL: postgres.url(),
        SESSION_STORE: 'redis',
        REDIS_URL: redis.url,
        MAX_SERVERS: String(SERVERS),
      },
      spot: false,
      vcpu: VCPU,
      quota: (name) => {
        // Until it is warm: with its real share, compiling what the runtime finds hot takes longer than a round.
        const share = quotas.create(name, 1);
        shares.push(share);
        return share;
      },
      detectionSeconds: 0,
      boot: 0,
      onEvent: () => {},
    });
    await parts.add(group);
    await group.begin(SERVERS);
    const ports = group.inService.map(({ shop }) => shop?.port as number);
    /** As many farms of that size as the servers make, so that each of them has the same part in every figure. */
    const farms = async (size: number, balance: 'leastconn' | 'roundrobin') => {
      const firsts = ports.flatMap((_, index) => (index % size === 0 ? [index] : []));
      const started = firsts.map(async (first) => {
        const servers = ports.slice(first, first + size);
        const balancer = await parts.add(
          startHaproxy({ dir: join(dir, `${balance}-${size}-${first}`), servers, balance }),
        );
        place(balancer.pid, 'beside');
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
    const cookie = await cookieOfUser(ten.urls[0] as string);
    /** What one of the farms carries while the others have no requests; the next one each time. */
    const load = (path: string, perServer: number, cookieOf?: string) => {
      return ({ size, urls }: typeof ten, seconds = SECONDS, leadIn = LEAD_IN) => {
        let turn = 0;
        return async () => {
          const url = `${urls[turn++ % urls.length]}${path}`;
          const connections = perServer * size;
          return { rps: await cheapFullLoad({ url, connections, seconds, leadIn, cookie: cookieOf }) };
        };
      };
    };
    const catalogue = load(CATALOGUE, CONNECTIONS.catalogue);
    const sessions = load(SESSION, CONNECTIONS.sessions, cookie);
    for (let turn = 0; turn < WARM_UP.turns; turn += 1) {
      // Just what is measured: by way of the balancer, which adds headers, and the catalogue without a cookie.
      for (const warmUp of [catalogue, sessions]) await warmUp(ten2, WARM_UP.seconds, 0)();
    }
    for (const share of shares) share.resize(VCPU);
    const seen = await measureInTurn(
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
      { servers: 1, rps: seen['1 server'].rps },
      { servers: 2, rps: seen['2 servers'].rps },
      { servers: 5, rps: seen['5 servers'].rps },
      { servers: 10, rps: seen['10 servers'].rps },
    ]);
    const times = (of: keyof typeof seen, base: keyof typeof seen = '1 server') => seen[of].rps / seen[base].rps;
    const result = {
      rounds: options.rounds,
      vcpu: VCPU,
      rps: Object.fromEntries(Object.entries(seen).map(([name, { rps }]) => [name, rps])),
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
  const beside = (name: string) => `${(times[name] as number).toFixed(2)}x`;
  const multiples: Record<string, string> = {
    '5 servers': goal('catalogue5'),
    '10 servers': goal('catalogue10'),
    '5 servers, round robin': beside('roundRobin5'),
    '10 servers, round robin': beside('roundRobin10'),
    '10 servers, sessions': goal('sessions10'),
  };
  const rows = Object.entries(rps).map(([name, value]) => [name, brief(value), multiples[name] ?? '']);
  const { lambda, sigma, kappa } = usl;
  return `${table([`servers of ${VCPU} vCPU`, 'requests/s', 'of one'], rows)}

Universal Scalability Law: lambda ${brief(lambda)} requests/s, sigma ${sigma.toPrecision(3)}, kappa ${kappa.toPrecision(3)}`;
}
