import { TRAFFIC_DEFAULTS } from '../cost/usage';
import { maxConnections } from '../plan/database';

/** Tiers in dependency order, dependencies first. */
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

/** Size and objective of a resource, which thresholds depend on. */
export interface ResourceSpec {
  readonly vcpus?: number;
  readonly memoryBytes?: number;
  /** Objective for the p99 response time. */
  readonly latencySeconds?: number;
}

/** Action that removes a limit. */
export interface Remedy {
  /** Phase that removes it. @default - a change within the running phase */
  readonly phase?: PhaseNumber;
  readonly action: string;
}

/** A capacity limit of a resource: its metric, threshold and remedy. */
export interface Limit {
  /** Name in `--from` files, such as `servers.cpu`. */
  readonly id: string;
  readonly tier: Tier;
  readonly what: string;
  readonly unit: '%' | 's' | '' | 'bytes' | 'µs';
  readonly metric: { readonly namespace: string; readonly name: string; readonly stat: string };
  /** Metric whose newest value is the threshold, such as `GroupMaxSize`. */
  readonly limitMetric?: { readonly namespace: string; readonly name: string; readonly stat: string };
  readonly side: 'above' | 'at or above' | 'below';
  /** In the metric's unit; `undefined` when the size of the resource is unknown. */
  readonly threshold?: (spec: ResourceSpec) => number | undefined;
  /** Minimum time beyond the threshold, in minutes. */
  readonly sustainedMinutes: number;
  /** Source of the threshold. */
  readonly source: string;
  /** Whether a missing metric means zero. */
  readonly missingIsZero?: boolean;
  /** Whether only some resources publish the metric, such as burstable ones. */
  readonly optional?: boolean;
  /** Explanation for an expected lack of data or of a limit. */
  readonly notJudged?: { readonly when: 'no data' | 'no limit'; readonly because: string };
  /** Whether it indicates a failure instead of a capacity limit. */
  readonly symptom?: boolean;
  /** Applicable resources, by their size. @default all */
  readonly isFor?: (spec: ResourceSpec) => boolean;
  /** Applicable phases. @default all */
  readonly phases?: readonly PhaseNumber[];
  readonly remedy: (phase: PhaseNumber) => Remedy;
}

const WIDDIX = 'widdix alarms';
const AWS = 'AWS recommended alarms';
const PROJECT = "this project's dashboard";

const stay = (action: string) => (): Remedy => ({ action });
const ec2 = (name: string, stat: string) => ({ namespace: 'AWS/EC2', name, stat });
const group = (name: string) => ({ namespace: 'AWS/AutoScaling', name, stat: 'Average' });
const balancer = (name: string, stat: string) => ({ namespace: 'AWS/ApplicationELB', name, stat });
const rds = (name: string, stat: string) => ({ namespace: 'AWS/RDS', name, stat });
const cache = (name: string, stat: string) => ({ namespace: 'AWS/ElastiCache', name, stat });

/** Scaling up is faster than a new phase while a larger size exists. */
const relieveBox = (phase: PhaseNumber): Remedy =>
  phase === 1
    ? { phase: 2, action: 'moves the database to RDS; a larger instance (-c size=) buys time' }
    : { phase: 3, action: 'runs five servers behind a load balancer; a larger instance (-c size=) buys time' };

const addServers = (phase: PhaseNumber): Remedy =>
  phase === 3
    ? {
        phase: 4,
        action:
          'scales the fleet automatically and serves static files at the edge; more servers (-c servers=) buy time',
      }
    : { action: 'raise the maximum (-c maxServers=) after checking the database connections' };

const relieveWriter = (phase: PhaseNumber): Remedy => {
  if (phase <= 2) return { phase: 3, action: 'moves reads to a cache and read replicas; a larger class buys time' };
  if (phase === 3)
    return { phase: 4, action: 'serves shared pages at the edge and runs jobs on workers; a larger class buys time' };
  return { phase: 5, action: 'splits the data into shards; a larger class buys time' };
};

const addConnections = (phase: PhaseNumber): Remedy => {
  if (phase === 3) return { phase: 4, action: 'pools database connections in RDS Proxy' };
  return phase <= 2
    ? { phase: 3, action: 'answers reads from a cache; a larger class buys time' }
    : { phase: 5, action: 'gives each shard its own connections; check for pinned sessions first' };
};

/** A burstable instance in unlimited mode is not throttled: usage above the baseline is billed as surplus credits. */
const lowCredits = (action: string) => ({
  unit: '' as const,
  side: 'below' as const,
  threshold: () => 20,
  sustainedMinutes: 120,
  source: WIDDIX,
  optional: true,
  remedy: stay(action),
});

/** A volume without burst credits is throttled to its baseline. Types without bursts (gp3, io2) do not publish it. */
const lowBurstBalance = {
  unit: '%' as const,
  side: 'below' as const,
  threshold: () => 20,
  sustainedMinutes: 10,
  source: WIDDIX,
  optional: true,
  remedy: stay('switch to a gp3 volume, which does not depend on burst credits'),
};

/**
 * The engine uses one core. AWS recommends CPUUtilization for nodes with up to two vCPUs, and EngineCPUUtilization for
 * larger nodes, which is also used when the size is unknown.
 *
 * @see https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheMetrics.WhichShouldIMonitor.html
 */
const isSmallNode = ({ vcpus }: ResourceSpec) => vcpus !== undefined && vcpus <= 2;

const largerDatabase = stay('use a larger database class: memory or disk is short');

/** All limits. */
export const limits: readonly Limit[] = [
  {
    id: 'box.cpu',
    tier: 'box',
    what: 'CPU of the instance',
    unit: '%',
    metric: ec2('CPUUtilization', 'Average'),
    side: 'above',
    threshold: () => 80,
    sustainedMinutes: 15,
    source: WIDDIX,
    remedy: relieveBox,
  },
  {
    id: 'box.memory',
    tier: 'box',
    what: 'memory of the instance',
    unit: '%',
    metric: { namespace: 'Host', name: 'mem_used_percent', stat: 'Average' },
    side: 'at or above',
    threshold: () => 90,
    sustainedMinutes: 15,
    source: PROJECT,
    remedy: relieveBox,
  },
  {
    id: 'box.disk',
    tier: 'box',
    what: 'data volume of the instance',
    unit: '%',
    metric: { namespace: 'Host', name: 'disk_used_percent', stat: 'Maximum' },
    side: 'at or above',
    threshold: () => 80,
    sustainedMinutes: 10,
    source: PROJECT,
    phases: [1],
    remedy: stay('use a size with a larger volume (-c size=); the volume grows in place'),
  },
  {
    id: 'box.credits',
    tier: 'box',
    what: 'CPU credits of the instance',
    metric: ec2('CPUCreditBalance', 'Minimum'),
    ...lowCredits('use a size that is not burstable (-c size=growth or larger)'),
  },
  {
    id: 'volume.burst',
    tier: 'volume',
    what: 'burst balance of a volume',
    metric: { namespace: 'AWS/EBS', name: 'BurstBalance', stat: 'Minimum' },
    ...lowBurstBalance,
  },
  {
    id: 'servers.cpu',
    tier: 'servers',
    what: 'CPU of the servers',
    unit: '%',
    metric: ec2('CPUUtilization', 'Average'),
    side: 'above',
    threshold: () => 80,
    sustainedMinutes: 15,
    source: WIDDIX,
    remedy: addServers,
  },
  {
    id: 'servers.memory',
    tier: 'servers',
    what: 'memory of the servers',
    unit: '%',
    metric: { namespace: 'Host', name: 'mem_used_percent', stat: 'Maximum' },
    side: 'at or above',
    threshold: () => 90,
    sustainedMinutes: 15,
    source: PROJECT,
    remedy: stay('use servers with more memory (-c size=)'),
  },
  {
    id: 'servers.credits',
    tier: 'servers',
    what: 'CPU credits of the servers',
    metric: ec2('CPUCreditBalance', 'Minimum'),
    ...lowCredits('use servers that are not burstable (-c size=growth or larger)'),
  },
  {
    id: 'servers.size',
    tier: 'servers',
    what: 'desired capacity of the fleet',
    unit: '',
    metric: group('GroupDesiredCapacity'),
    limitMetric: group('GroupMaxSize'),
    side: 'at or above',
    sustainedMinutes: 10,
    source: 'maximum size of the group',
    phases: [4, 5],
    remedy: addServers,
  },
  {
    id: 'balancer.errors',
    tier: 'balancer',
    what: '5xx of the load balancer',
    unit: '',
    metric: balancer('HTTPCode_ELB_5XX_Count', 'Sum'),
    side: 'above',
    threshold: () => 0,
    sustainedMinutes: 0,
    source: WIDDIX,
    missingIsZero: true,
    symptom: true,
    remedy: stay('runbook: Load balancer 5xx errors'),
  },
  {
    id: 'balancer.rejected',
    tier: 'balancer',
    what: 'connections rejected by the load balancer',
    unit: '',
    metric: balancer('RejectedConnectionCount', 'Sum'),
    side: 'above',
    threshold: () => 0,
    sustainedMinutes: 0,
    source: WIDDIX,
    missingIsZero: true,
    symptom: true,
    remedy: stay('runbook: Load balancer 5xx errors'),
  },
  {
    id: 'balancer.app-errors',
    tier: 'balancer',
    what: '5xx of the app',
    unit: '',
    metric: balancer('HTTPCode_Target_5XX_Count', 'Sum'),
    side: 'above',
    threshold: () => 0,
    sustainedMinutes: 0,
    source: WIDDIX,
    missingIsZero: true,
    symptom: true,
    remedy: stay('runbook: App 5xx errors'),
  },
  {
    id: 'balancer.unreachable',
    tier: 'balancer',
    what: 'failed connections to servers',
    unit: '',
    metric: balancer('TargetConnectionErrorCount', 'Sum'),
    side: 'above',
    threshold: () => 0,
    sustainedMinutes: 0,
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
    sustainedMinutes: 2,
    source: 'Elastic Load Balancing guide',
    symptom: true,
    remedy: stay('runbook: Server unhealthy'),
  },
  {
    id: 'balancer.latency',
    tier: 'balancer',
    what: 'response time of the app, p99',
    unit: 's',
    metric: balancer('TargetResponseTime', 'p99'),
    side: 'above',
    threshold: ({ latencySeconds }) => latencySeconds,
    sustainedMinutes: 15,
    source: '--latency-objective',
    optional: true,
    notJudged: { when: 'no limit', because: 'no objective set: pass --latency-objective <ms>' },
    symptom: true,
    remedy: stay('runbook: High latency'),
  },
  {
    id: 'edge.hits',
    tier: 'edge',
    what: 'hit ratio of the edge',
    unit: '%',
    metric: { namespace: 'AWS/CloudFront', name: 'CacheHitRate', stat: 'Average' },
    side: 'below',
    threshold: () => 100 * TRAFFIC_DEFAULTS.edgeHitRatio.value,
    sustainedMinutes: 60,
    source: 'default of plan and cost',
    optional: true,
    notJudged: {
      when: 'no data',
      because: 'not published; enable CloudFront additional metrics, which are billed',
    },
    symptom: true,
    remedy: stay('check the cache key for query strings, cookies and headers, and responses for a missing s-maxage'),
  },
  {
    id: 'database.cpu',
    tier: 'database',
    what: 'CPU of the database',
    unit: '%',
    metric: rds('CPUUtilization', 'Average'),
    side: 'at or above',
    threshold: () => 90,
    sustainedMinutes: 5,
    source: AWS,
    remedy: relieveWriter,
  },
  {
    id: 'database.load',
    tier: 'database',
    what: 'DB load of the database, in vCPUs',
    unit: '',
    metric: rds('DBLoad', 'Average'),
    side: 'above',
    threshold: ({ vcpus }) => vcpus,
    sustainedMinutes: 15,
    source: AWS,
    optional: true,
    remedy: relieveWriter,
  },
  {
    id: 'database.connections',
    tier: 'database',
    what: 'connections of the database',
    unit: '',
    metric: rds('DatabaseConnections', 'Maximum'),
    side: 'at or above',
    threshold: ({ memoryBytes }) => memoryBytes && Math.floor(maxConnections(memoryBytes) * 0.9),
    sustainedMinutes: 10,
    source: 'AWS: 90 to 95% of max_connections',
    remedy: addConnections,
  },
  {
    id: 'database.memory',
    tier: 'database',
    what: 'free memory of the database',
    unit: 'bytes',
    metric: rds('FreeableMemory', 'Minimum'),
    side: 'below',
    threshold: ({ memoryBytes }) => memoryBytes && memoryBytes / 4,
    sustainedMinutes: 15,
    source: AWS,
    remedy: largerDatabase,
  },
  {
    id: 'database.read-latency',
    tier: 'database',
    what: 'read latency of the database',
    unit: 's',
    metric: rds('ReadLatency', 'Average'),
    side: 'above',
    threshold: () => 0.02,
    sustainedMinutes: 5,
    source: AWS,
    remedy: largerDatabase,
  },
  {
    id: 'database.disk-queue',
    tier: 'database',
    what: 'disk queue depth of the database',
    unit: '',
    metric: rds('DiskQueueDepth', 'Average'),
    side: 'above',
    threshold: () => 64,
    sustainedMinutes: 5,
    source: WIDDIX,
    remedy: largerDatabase,
  },
  {
    id: 'database.credits',
    tier: 'database',
    what: 'CPU credits of the database',
    metric: rds('CPUCreditBalance', 'Minimum'),
    ...lowCredits('use a database class that is not burstable'),
  },
  {
    id: 'database.burst',
    tier: 'database',
    what: 'burst balance of the database storage',
    metric: rds('BurstBalance', 'Minimum'),
    ...lowBurstBalance,
  },
  {
    id: 'replicas.cpu',
    tier: 'replicas',
    what: 'CPU of a read replica',
    unit: '%',
    metric: rds('CPUUtilization', 'Average'),
    side: 'at or above',
    threshold: () => 90,
    sustainedMinutes: 5,
    source: AWS,
    remedy: stay('add a replica (-c replicas=) after checking the hit ratio of the cache'),
  },
  {
    id: 'proxy.wait',
    tier: 'proxy',
    what: 'connection borrow latency of RDS Proxy',
    unit: 'µs',
    metric: rds('DatabaseConnectionsBorrowLatency', 'Average'),
    side: 'at or above',
    threshold: () => 100_000,
    sustainedMinutes: 10,
    source: PROJECT,
    remedy: addConnections,
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
    sustainedMinutes: 5,
    source: 'AWS: 90% / cores',
    remedy: stay('use a larger cache node type, or more shards'),
  },
  {
    id: 'cache.engine',
    tier: 'cache',
    what: 'engine CPU of a cache node',
    unit: '%',
    metric: cache('EngineCPUUtilization', 'Average'),
    side: 'above',
    threshold: () => 90,
    isFor: (spec) => !isSmallNode(spec),
    sustainedMinutes: 5,
    source: 'AWS',
    remedy: stay('add shards: the engine uses one core'),
  },
  {
    id: 'cache.memory',
    tier: 'cache',
    what: 'memory of a cache node',
    unit: '%',
    metric: cache('DatabaseMemoryUsagePercentage', 'Maximum'),
    side: 'at or above',
    threshold: () => 90,
    sustainedMinutes: 15,
    source: WIDDIX,
    remedy: stay('use a cache node type with more memory: sessions must not be evicted'),
  },
  {
    id: 'cache.evictions',
    tier: 'cache',
    what: 'evictions of the cache',
    unit: '',
    metric: cache('Evictions', 'Sum'),
    side: 'above',
    threshold: () => 1000,
    sustainedMinutes: 5,
    source: WIDDIX,
    missingIsZero: true,
    remedy: stay('use a cache node type with more memory: sessions must not be evicted'),
  },
  {
    id: 'cache.lag',
    tier: 'cache',
    what: 'replication lag of a cache replica',
    unit: 's',
    metric: cache('ReplicationLag', 'Maximum'),
    side: 'above',
    threshold: () => 30,
    sustainedMinutes: 5,
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
    sustainedMinutes: 10,
    source: WIDDIX,
    missingIsZero: true,
    remedy: stay('add workers (-c maxWorkers=), or remove what they wait for'),
  },
  {
    id: 'network.nat-ports',
    tier: 'network',
    what: 'port allocation errors of a NAT gateway',
    unit: '',
    metric: { namespace: 'AWS/NATGateway', name: 'ErrorPortAllocation', stat: 'Sum' },
    side: 'above',
    threshold: () => 0,
    sustainedMinutes: 0,
    source: 'AWS NAT gateway guide',
    missingIsZero: true,
    remedy: stay('use a NAT gateway per zone (-c natGateways=3), and keep connections alive'),
  },
];
