import { TRAFFIC_DEFAULTS } from '../cost/usage';

/** Parts of the shop, those first that all others wait for. */
export const TIERS = [
  'database',
  'replicas',
  'proxy',
  'cache',
  'queue',
  'network',
  'volume',
  'servers',
  'box',
  'balancer',
  'edge',
] as const;

export type Tier = (typeof TIERS)[number];

export type PhaseNumber = 1 | 2 | 3 | 4 | 5;

/** What a resource can take, and what is asked of it, where a threshold hangs on it. */
export interface Limits {
  readonly vcpus?: number;
  readonly memoryBytes?: number;
  /** The objective for the 99th percentile of the answers. */
  readonly latencySeconds?: number;
}

/** What to do about a wall. */
export interface Remedy {
  /** The phase that removes it; without one, the phase that runs is the right one. */
  readonly phase?: PhaseNumber;
  readonly does: string;
}

/** Something that fills up, when it is full, and what helps then. */
export interface Wall {
  /** Name in `--from` files: `servers.cpu`. */
  readonly id: string;
  readonly tier: Tier;
  readonly what: string;
  readonly unit: '%' | 's' | '' | 'bytes' | 'µs';
  readonly metric: { readonly namespace: string; readonly name: string; readonly stat: string };
  /** A metric whose newest value is the threshold: `GroupMaxSize`. */
  readonly limitMetric?: { readonly namespace: string; readonly name: string; readonly stat: string };
  readonly side: 'above' | 'at or above' | 'below';
  /** In the metric's unit; `undefined` where the resource's size is not known. */
  readonly threshold?: (limits: Limits) => number | undefined;
  /** How long it must be beyond the threshold, in minutes. */
  readonly lasting: number;
  /** Who says that this is full. */
  readonly source: string;
  /** Nothing is published where nothing happens. */
  readonly missingIsZero?: boolean;
  /** Only some resources have it, such as those that are burstable: that it is missing says nothing. */
  readonly optional?: boolean;
  /** What to say where it is missing, or has no limit, though nothing is wrong with that. */
  readonly notJudged?: { readonly when: 'no data' | 'no limit'; readonly because: string };
  /** Shows that something is wrong, and not what is full: it names no phase. */
  readonly symptom?: boolean;
  /** Resources that it is a wall of, by their size. @default all */
  readonly isFor?: (limits: Limits) => boolean;
  /** Phases in which it is a wall; elsewhere the metric may be where it is. @default all */
  readonly phases?: readonly PhaseNumber[];
  readonly remedy: (phase: PhaseNumber) => Remedy;
}

const WIDDIX = 'widdix alarms';
const AWS = 'AWS recommended alarms';
const PROJECT = "this project's dashboard";

const stay = (does: string) => (): Remedy => ({ does });
const ec2 = (name: string, stat: string) => ({ namespace: 'AWS/EC2', name, stat });
const group = (name: string) => ({ namespace: 'AWS/AutoScaling', name, stat: 'Average' });
const balancer = (name: string, stat: string) => ({ namespace: 'AWS/ApplicationELB', name, stat });
const rds = (name: string, stat: string) => ({ namespace: 'AWS/RDS', name, stat });
const cache = (name: string, stat: string) => ({ namespace: 'AWS/ElastiCache', name, stat });

/** What RDS sets `max_connections` of PostgreSQL to. */
const connections = ({ memoryBytes }: Limits) => memoryBytes && Math.min(5000, Math.floor(memoryBytes / 9_531_392));

/** The box fills up: scaling up is quicker than a phase, as long as there is a bigger size. */
const boxIsFull = (phase: PhaseNumber): Remedy =>
  phase === 1
    ? { phase: 2, does: 'the database gets a machine of its own; a bigger box (-c size=) buys time' }
    : { phase: 3, does: 'five servers behind a load balancer; a bigger box (-c size=) buys time' };

const serversAreFull = (phase: PhaseNumber): Remedy =>
  phase === 3
    ? {
        phase: 4,
        does: 'the fleet grows and shrinks by itself, and static files leave it; more servers (-c servers=) buy time',
      }
    : { does: 'a bigger maximum (-c maxServers=), after a look at the connections of the database' };

const primaryIsBusy = (phase: PhaseNumber): Remedy => {
  if (phase <= 2) return { phase: 3, does: 'a cache and read replicas take the reads; a bigger class buys time' };
  if (phase === 3)
    return { phase: 4, does: 'the edge answers shared pages, workers take the jobs; a bigger class buys time' };
  return { phase: 5, does: 'the data is split into shards; a bigger class buys time' };
};

const connectionsAreTaken = (phase: PhaseNumber): Remedy => {
  if (phase === 3) return { phase: 4, does: 'RDS Proxy shares the connections of the database' };
  return phase <= 2
    ? { phase: 3, does: 'fewer statements reach the database past the cache; a bigger class buys time' }
    : { phase: 5, does: 'each shard has connections of its own; look for pinned sessions first' };
};

/** A burstable machine has spent its credits: it does not slow down, but what it uses above its baseline is billed. */
const creditsAreSpent = (does: string) => ({
  unit: '' as const,
  side: 'below' as const,
  threshold: () => 20,
  lasting: 120,
  source: WIDDIX,
  optional: true,
  remedy: stay(does),
});

/** A disk has spent its burst bucket, and is held to its baseline. Types without one (gp3, io2) do not publish it. */
const burstIsSpent = {
  unit: '%' as const,
  side: 'below' as const,
  threshold: () => 20,
  lasting: 10,
  source: WIDDIX,
  optional: true,
  remedy: stay('a gp3 disk, whose operations do not hang on a bucket'),
};

/**
 * The engine works on one core. Up to two of them the node's CPU is to be watched, as other work shares them; beyond that the engine's
 * own metric, and where the size is not known as well.
 *
 * @see https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheMetrics.WhichShouldIMonitor.html
 */
const isSmallNode = ({ vcpus }: Limits) => vcpus !== undefined && vcpus <= 2;

const databaseIsSmall = stay('a bigger class of the database: it is short of memory or disk, not of a phase');

/** All walls that are looked at. */
export const walls: readonly Wall[] = [
  {
    id: 'box.cpu',
    tier: 'box',
    what: 'CPU of the box',
    unit: '%',
    metric: ec2('CPUUtilization', 'Average'),
    side: 'above',
    threshold: () => 80,
    lasting: 15,
    source: WIDDIX,
    remedy: boxIsFull,
  },
  {
    id: 'box.memory',
    tier: 'box',
    what: 'memory of the box',
    unit: '%',
    metric: { namespace: 'Host', name: 'mem_used_percent', stat: 'Average' },
    side: 'at or above',
    threshold: () => 90,
    lasting: 15,
    source: PROJECT,
    remedy: boxIsFull,
  },
  {
    id: 'box.disk',
    tier: 'box',
    what: 'data volume of the box',
    unit: '%',
    metric: { namespace: 'Host', name: 'disk_used_percent', stat: 'Maximum' },
    side: 'at or above',
    threshold: () => 80,
    lasting: 10,
    source: PROJECT,
    phases: [1],
    remedy: stay('a size with a bigger disk (-c size=); the volume grows in place'),
  },
  {
    id: 'box.credits',
    tier: 'box',
    what: 'CPU credits of the box',
    metric: ec2('CPUCreditBalance', 'Minimum'),
    ...creditsAreSpent('a size that is not burstable (-c size=growth or more)'),
  },
  {
    id: 'volume.burst',
    tier: 'volume',
    what: 'burst balance of a volume',
    metric: { namespace: 'AWS/EBS', name: 'BurstBalance', stat: 'Minimum' },
    ...burstIsSpent,
  },
  {
    id: 'servers.cpu',
    tier: 'servers',
    what: 'CPU of the servers',
    unit: '%',
    metric: ec2('CPUUtilization', 'Average'),
    side: 'above',
    threshold: () => 80,
    lasting: 15,
    source: WIDDIX,
    remedy: serversAreFull,
  },
  {
    id: 'servers.memory',
    tier: 'servers',
    what: 'memory of the servers',
    unit: '%',
    metric: { namespace: 'Host', name: 'mem_used_percent', stat: 'Maximum' },
    side: 'at or above',
    threshold: () => 90,
    lasting: 15,
    source: PROJECT,
    remedy: stay('servers with more memory (-c size=)'),
  },
  {
    id: 'servers.credits',
    tier: 'servers',
    what: 'CPU credits of the servers',
    metric: ec2('CPUCreditBalance', 'Minimum'),
    ...creditsAreSpent('servers that are not burstable (-c size=growth or more)'),
  },
  {
    id: 'servers.size',
    tier: 'servers',
    what: 'servers, of the most that there may be',
    unit: '',
    metric: group('GroupDesiredCapacity'),
    limitMetric: group('GroupMaxSize'),
    side: 'at or above',
    lasting: 10,
    source: 'the group cannot grow any more',
    phases: [4, 5],
    remedy: serversAreFull,
  },
  {
    id: 'balancer.errors',
    tier: 'balancer',
    what: 'errors of the balancer',
    unit: '',
    metric: balancer('HTTPCode_ELB_5XX_Count', 'Sum'),
    side: 'above',
    threshold: () => 0,
    lasting: 0,
    source: WIDDIX,
    missingIsZero: true,
    symptom: true,
    remedy: stay('runbook: Load balancer 5xx errors'),
  },
  {
    id: 'balancer.rejected',
    tier: 'balancer',
    what: 'connections that the balancer rejected',
    unit: '',
    metric: balancer('RejectedConnectionCount', 'Sum'),
    side: 'above',
    threshold: () => 0,
    lasting: 0,
    source: WIDDIX,
    missingIsZero: true,
    symptom: true,
    remedy: stay('runbook: Load balancer 5xx errors'),
  },
  {
    id: 'balancer.app-errors',
    tier: 'balancer',
    what: 'errors of the app',
    unit: '',
    metric: balancer('HTTPCode_Target_5XX_Count', 'Sum'),
    side: 'above',
    threshold: () => 0,
    lasting: 0,
    source: WIDDIX,
    missingIsZero: true,
    symptom: true,
    remedy: stay('runbook: App 5xx errors'),
  },
  {
    id: 'balancer.unreachable',
    tier: 'balancer',
    what: 'connections to servers that failed',
    unit: '',
    metric: balancer('TargetConnectionErrorCount', 'Sum'),
    side: 'above',
    threshold: () => 0,
    lasting: 0,
    source: WIDDIX,
    missingIsZero: true,
    symptom: true,
    remedy: stay('runbook: Server unhealthy'),
  },
  {
    id: 'balancer.unhealthy',
    tier: 'balancer',
    what: 'unhealthy servers',
    unit: '',
    metric: balancer('UnHealthyHostCount', 'Minimum'),
    side: 'above',
    threshold: () => 0,
    lasting: 2,
    source: 'Elastic Load Balancing guide',
    symptom: true,
    remedy: stay('runbook: Server unhealthy'),
  },
  {
    id: 'balancer.latency',
    tier: 'balancer',
    what: 'time that the app takes to answer, p99',
    unit: 's',
    metric: balancer('TargetResponseTime', 'p99'),
    side: 'above',
    threshold: ({ latencySeconds }) => latencySeconds,
    lasting: 15,
    source: '--latency-objective',
    optional: true,
    notJudged: { when: 'no limit', because: 'what is slow is yours to say: --latency-objective <ms>' },
    symptom: true,
    remedy: stay('runbook: High latency'),
  },
  {
    id: 'edge.hits',
    tier: 'edge',
    what: 'answers that the edge had',
    unit: '%',
    metric: { namespace: 'AWS/CloudFront', name: 'CacheHitRate', stat: 'Average' },
    side: 'below',
    threshold: () => 100 * TRAFFIC_DEFAULTS.edgeHitRatio.value,
    lasting: 60,
    source: 'what plan and cost reckon with',
    optional: true,
    notJudged: {
      when: 'no data',
      because: 'not published; CloudFront does so with "additional metrics", which are paid for',
    },
    symptom: true,
    remedy: stay('look for query strings, cookies and headers in the cache key, and for answers without s-maxage'),
  },
  {
    id: 'database.cpu',
    tier: 'database',
    what: 'CPU of the database',
    unit: '%',
    metric: rds('CPUUtilization', 'Average'),
    side: 'at or above',
    threshold: () => 90,
    lasting: 5,
    source: AWS,
    remedy: primaryIsBusy,
  },
  {
    id: 'database.load',
    tier: 'database',
    what: 'load of the database, in vCPUs',
    unit: '',
    metric: rds('DBLoad', 'Average'),
    side: 'above',
    threshold: ({ vcpus }) => vcpus,
    lasting: 15,
    source: AWS,
    optional: true,
    remedy: primaryIsBusy,
  },
  {
    id: 'database.connections',
    tier: 'database',
    what: 'connections of the database',
    unit: '',
    metric: rds('DatabaseConnections', 'Maximum'),
    side: 'at or above',
    threshold: (limits) => {
      const most = connections(limits);
      return most && Math.floor(most * 0.9);
    },
    lasting: 10,
    source: 'AWS: 90 to 95% of max_connections',
    remedy: connectionsAreTaken,
  },
  {
    id: 'database.memory',
    tier: 'database',
    what: 'free memory of the database',
    unit: 'bytes',
    metric: rds('FreeableMemory', 'Minimum'),
    side: 'below',
    threshold: ({ memoryBytes }) => memoryBytes && memoryBytes / 4,
    lasting: 15,
    source: AWS,
    remedy: databaseIsSmall,
  },
  {
    id: 'database.read-latency',
    tier: 'database',
    what: 'read latency of the database',
    unit: 's',
    metric: rds('ReadLatency', 'Average'),
    side: 'above',
    threshold: () => 0.02,
    lasting: 5,
    source: AWS,
    remedy: databaseIsSmall,
  },
  {
    id: 'database.disk-queue',
    tier: 'database',
    what: 'operations that wait for the disk of the database',
    unit: '',
    metric: rds('DiskQueueDepth', 'Average'),
    side: 'above',
    threshold: () => 64,
    lasting: 5,
    source: WIDDIX,
    remedy: databaseIsSmall,
  },
  {
    id: 'database.credits',
    tier: 'database',
    what: 'CPU credits of the database',
    metric: rds('CPUCreditBalance', 'Minimum'),
    ...creditsAreSpent('a class of the database that is not burstable'),
  },
  {
    id: 'database.burst',
    tier: 'database',
    what: 'burst balance of the disk of the database',
    metric: rds('BurstBalance', 'Minimum'),
    ...burstIsSpent,
  },
  {
    id: 'replicas.cpu',
    tier: 'replicas',
    what: 'CPU of a read replica',
    unit: '%',
    metric: rds('CPUUtilization', 'Average'),
    side: 'at or above',
    threshold: () => 90,
    lasting: 5,
    source: AWS,
    remedy: stay('one more replica (-c replicas=), after a look at the hit ratio of the cache'),
  },
  {
    id: 'proxy.wait',
    tier: 'proxy',
    what: 'wait for a connection at RDS Proxy',
    unit: 'µs',
    metric: rds('DatabaseConnectionsBorrowLatency', 'Average'),
    side: 'at or above',
    threshold: () => 100_000,
    lasting: 10,
    source: PROJECT,
    remedy: connectionsAreTaken,
  },
  {
    id: 'cache.cpu',
    tier: 'cache',
    what: 'CPU of a cache node',
    unit: '%',
    metric: cache('CPUUtilization', 'Average'),
    side: 'above',
    threshold: ({ vcpus }) => vcpus && 90 / vcpus,
    isFor: isSmallNode,
    lasting: 5,
    source: 'AWS: 90% / cores',
    remedy: stay('a bigger node type of the cache, or more shards'),
  },
  {
    id: 'cache.engine',
    tier: 'cache',
    what: 'engine of a cache node',
    unit: '%',
    metric: cache('EngineCPUUtilization', 'Average'),
    side: 'above',
    threshold: () => 90,
    isFor: (limits) => !isSmallNode(limits),
    lasting: 5,
    source: 'AWS',
    remedy: stay('more shards: the engine works on one core'),
  },
  {
    id: 'cache.memory',
    tier: 'cache',
    what: 'memory of a cache node',
    unit: '%',
    metric: cache('DatabaseMemoryUsagePercentage', 'Maximum'),
    side: 'at or above',
    threshold: () => 90,
    lasting: 15,
    source: WIDDIX,
    remedy: stay('a node type of the cache with more memory: sessions must not be evicted'),
  },
  {
    id: 'cache.evictions',
    tier: 'cache',
    what: 'evictions of the cache',
    unit: '',
    metric: cache('Evictions', 'Sum'),
    side: 'above',
    threshold: () => 1000,
    lasting: 5,
    source: WIDDIX,
    missingIsZero: true,
    remedy: stay('a node type of the cache with more memory: sessions must not be evicted'),
  },
  {
    id: 'cache.lag',
    tier: 'cache',
    what: 'lag of a cache replica',
    unit: 's',
    metric: cache('ReplicationLag', 'Maximum'),
    side: 'above',
    threshold: () => 30,
    lasting: 5,
    source: WIDDIX,
    symptom: true,
    remedy: stay('runbook: Cache replication lag'),
  },
  {
    id: 'queue.age',
    tier: 'queue',
    what: 'age of the oldest job',
    unit: 's',
    metric: { namespace: 'AWS/SQS', name: 'ApproximateAgeOfOldestMessage', stat: 'Maximum' },
    side: 'above',
    threshold: () => 600,
    lasting: 10,
    source: WIDDIX,
    missingIsZero: true,
    remedy: stay('more workers (-c maxWorkers=), or a look at what they wait for'),
  },
  {
    id: 'network.nat-ports',
    tier: 'network',
    what: 'connections that a NAT gateway had no port for',
    unit: '',
    metric: { namespace: 'AWS/NATGateway', name: 'ErrorPortAllocation', stat: 'Sum' },
    side: 'above',
    threshold: () => 0,
    lasting: 0,
    source: 'AWS NAT gateway guide',
    missingIsZero: true,
    remedy: stay('a NAT gateway in each zone (-c natGateways=3), and kept-alive connections'),
  },
];
