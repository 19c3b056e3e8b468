import { markdownTable } from '../support/table';
import type { GeneratedSections } from './generate';

/** A rehearsal of the table in `docs/rehearsals/README.md`. */
export interface RehearsalExample {
  readonly topic: string;
  readonly title: string;
  /** Name of its report below `docs/rehearsals/`, without `.html`. */
  readonly name: string;
  /** Arguments after `npm run rehearse --`. */
  readonly args: string;
  readonly shows: string;
}

/** Reports that are in the repository; `npm run docs:rehearsals` makes all of them. */
export const keptReports: readonly string[] = ['kill', 'spike', 'evolve'];

export const rehearsals: readonly RehearsalExample[] = [
  {
    topic: 'vertical scaling',
    title: 'A bigger instance',
    name: 'resize',
    args: '1 --vcpu 0.25 --resize 1 --rps 300',
    shows: 'the same app on more vCPUs: responses within 1 s before and after the restart',
  },
  {
    topic: 'single point of failure',
    title: 'The only server fails',
    name: 'kill-box',
    args: '1 --kill 1',
    shows: 'one server down is an outage until it has restarted; nothing confirmed is lost',
  },
  {
    topic: 'overload',
    title: 'Five times the capacity',
    name: 'overload',
    args: '3 --overload 5x',
    shows: 'load shedding rejects excess requests; accepted ones complete within 1 s',
  },
  {
    topic: 'overload',
    title: 'The same without load shedding',
    name: 'no-shedding',
    args: '3 --overload 5x --no-shedding',
    shows:
      'the cascade: responses arrive after visitors gave up, health checks fail, the remaining servers get more requests',
  },
  {
    topic: 'load balancing',
    title: 'Layer 4',
    name: 'layer-4',
    args: '3 --layer 4 --seconds 20',
    shows: 'the balancer spreads connections; a visitor stays on one server while the connection lives',
  },
  {
    topic: 'load balancing',
    title: 'Round robin at the usual load',
    name: 'steady',
    args: '3',
    shows: 'each server gets the same number of requests within 5%; replicas and caches serve reads',
  },
  {
    topic: 'load balancing',
    title: 'Least connections',
    name: 'leastconn',
    args: '3 --balance leastconn --kill 1 --rps 200',
    shows: 'a failed server has the fewest connections and receives requests until its health check fails',
  },
  {
    topic: 'load balancing',
    title: 'Source address hash',
    name: 'source',
    args: '3 --balance source --seconds 20',
    shows: 'each client address maps to one server, and every server gets requests',
  },
  {
    topic: 'load balancing',
    title: 'Sticky sessions by cookie',
    name: 'sticky',
    args: '3 --balance sticky --seconds 20',
    shows: 'no visitor changes servers',
  },
  {
    topic: 'servers join and leave',
    title: 'kill -9 of a server',
    name: 'kill',
    args: '3 --servers 5 --kill 1',
    shows: 'four servers keep serving; failures are bounded by requests in flight and the health check interval',
  },
  {
    topic: 'servers join and leave',
    title: 'From five servers to ten and back',
    name: 'scale',
    args: '3 --scale 10',
    shows: 'no request fails while servers join or drain',
  },
  {
    topic: 'servers join and leave',
    title: 'A rolling deploy',
    name: 'deploy',
    args: '3 --deploy',
    shows: 'servers get the new version one at a time; no request fails',
  },
  {
    topic: 'sessions',
    title: 'Sessions in memory, kill -9 of a server',
    name: 'memory',
    args: '3 --sessions memory --kill 1',
    shows: 'confirmed cart items and logins are lost with the server',
  },
  {
    topic: 'sessions',
    title: 'Sessions in a cookie, kill -9 of a server',
    name: 'cookie',
    args: '3 --sessions cookie --kill 1',
    shows: 'nothing is lost: the server stores no session',
  },
  {
    topic: 'sessions',
    title: 'Sticky visitors, sessions in Redis, kill -9 of a server',
    name: 'sticky-kill',
    args: '3 --balance sticky --kill 1',
    shows: 'visitors move to another server and keep cart and login',
  },
  {
    topic: 'read replicas',
    title: 'Replica lag',
    name: 'lag',
    args: '3 --lag 8',
    shows: 'visitors read their own writes from the primary until the replicas catch up',
  },
  {
    topic: 'read replicas',
    title: 'kill -9 of a replica',
    name: 'kill-replica',
    args: '3 --kill-replica',
    shows: 'reads move to the other replica and the primary, and return after recovery',
  },
  {
    topic: 'workers, pooler, edge',
    title: 'kill -9 of a worker',
    name: 'jobs',
    args: '4 --kill-worker 1',
    shows:
      'every order gets its receipt; the report shows connections on both sides of the pooler and the hit ratio of the edge',
  },
  {
    topic: 'cache',
    title: 'No cache',
    name: 'no-cache',
    args: '3 --no-cache',
    shows: 'the number of database reads that the cache avoids',
  },
  {
    topic: 'auto scaling',
    title: 'Ten times the traffic',
    name: 'spike',
    args: '4 --spike 10x --rps 20 --vcpu 0.25',
    shows: 'the scaling policies of the template add and remove servers, 30 times faster than on AWS',
  },
  {
    topic: 'auto scaling',
    title: 'Black Friday',
    name: 'black-friday',
    args: '4 --profile black-friday --rps 200',
    shows: 'a day of sales with one peak at the opening and one in the evening',
  },
  {
    topic: 'spot',
    title: 'Two spot interruptions',
    name: 'spot',
    args: '4 --spot 2',
    shows: 'replacements are in service before the interrupted servers terminate; no request fails',
  },
  {
    topic: 'design for failure',
    title: 'An Availability Zone fails',
    name: 'kill-az',
    args: '3 --kill-az 1',
    shows: 'the primaries of database and Redis fail over; nothing confirmed is lost',
  },
  {
    topic: 'design for failure',
    title: 'The database fails over',
    name: 'kill-db',
    args: '2 --kill-db',
    shows: 'writes fail fast until the standby is available; nothing confirmed is lost',
  },
  {
    topic: 'design for failure',
    title: 'Redis fails',
    name: 'kill-redis',
    args: '3 --kill-redis',
    shows: 'pages stay available, requests that require a session are rejected within 250 ms, the replica takes over',
  },
  {
    topic: 'design for failure',
    title: 'A Redis primary becomes READONLY',
    name: 'demote-redis',
    args: '3 --demote-redis',
    shows: 'open connections reach a node that rejects writes; only saved writes are confirmed',
  },
  {
    topic: 'design for failure',
    title: 'A slow network to Redis',
    name: 'slow-redis',
    args: '3 --slow redis=50',
    shows: '50 ms more in each direction for 5 s',
  },
  {
    topic: 'design for failure',
    title: 'A game day',
    name: 'game-day',
    args: '3 --scenario docs/rehearsals/game-day.yaml',
    shows: 'seven drills in one run, from a [scenario file](game-day.yaml)',
  },
  {
    topic: 'capacity',
    title: 'A ramp to saturation',
    name: 'ramp',
    args: '2 --profile ramp --vcpu 0.5 --rps 400',
    shows: 'latency against load: close to saturation, a little more load costs much more latency',
  },
  {
    topic: 'evolution',
    title: 'From phase 1 to phase 4',
    name: 'evolve',
    args: '1..4',
    shows:
      'data and sessions move under traffic, new servers and the edge start beside the old ones; nothing confirmed is lost',
  },
];

/** The generated sections of `docs/rehearsals/README.md`. */
export const rehearsalSections: GeneratedSections = {
  rehearsals: () =>
    markdownTable(
      ['topic', 'rehearsal', 'command', 'what it shows'],
      rehearsals.map(({ topic, title, name, args, shows }) => [
        topic,
        keptReports.includes(name) ? `[${title}](${name}.html)` : title,
        `\`npm run rehearse -- ${args}\``,
        shows,
      ]),
    ),
};
