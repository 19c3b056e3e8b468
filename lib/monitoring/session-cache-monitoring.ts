import { Duration } from 'aws-cdk-lib';
import { GraphWidget, type IWidget } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { SessionCache } from '../tiers/session-cache';
import { highest } from './highest';
import { RunbookAlarm } from './runbook-alarm';

export interface SessionCacheMonitoringProps {
  readonly sessionCache: SessionCache;
  readonly topic: ITopic;
}

/** Alarms and dashboard row of the session cache. */
export class SessionCacheMonitoring extends Construct {
  readonly widgets: IWidget[][];

  constructor(scope: Construct, id: string, props: SessionCacheMonitoringProps) {
    super(scope, id);
    this.addLoadAlarms(props);
    this.addReplicationAlarm(props);
    this.widgets = graphs(props);
  }

  private addLoadAlarms({ sessionCache, topic }: SessionCacheMonitoringProps): void {
    new RunbookAlarm(this, 'CpuHigh', {
      topic,
      metric: highest(sessionCache.metrics('EngineCPUUtilization', 'Average'), 'EngineCPUUtilization'),
      atLeast: 80,
      duration: Duration.minutes(15),
      heading: 'Cache CPU high',
      meaning: 'A cache node has used more than 80% of its engine thread for 15 minutes.',
      firstStep: 'Check for slow commands, then deploy a faster node type. More vCPUs do not help a single thread.',
    });
    new RunbookAlarm(this, 'MemoryHigh', {
      topic,
      metric: highest(
        sessionCache.metrics('DatabaseMemoryUsagePercentage', 'Maximum'),
        'DatabaseMemoryUsagePercentage',
      ),
      atLeast: 80,
      duration: Duration.minutes(15),
      heading: 'Cache memory high',
      meaning: 'The cache is 80% full. It will soon evict cached responses, then the oldest sessions.',
      firstStep: 'Check whether sessions grew with traffic, then deploy a larger node type.',
    });
    new RunbookAlarm(this, 'Evictions', {
      topic,
      metric: highest(sessionCache.metrics('Evictions', 'Sum'), 'Evictions'),
      atLeast: 1000,
      duration: Duration.minutes(15),
      heading: 'Cache evictions',
      meaning: 'The cache evicted at least 1000 keys in each of three 5-minute periods. Users may be logged out.',
      firstStep: 'Deploy a larger node type.',
    });
  }

  private addReplicationAlarm({ sessionCache, topic }: SessionCacheMonitoringProps): void {
    new RunbookAlarm(this, 'Lag', {
      topic,
      metric: highest(sessionCache.metrics('ReplicationLag', 'Maximum'), 'ReplicationLag'),
      atLeast: 10,
      period: Duration.minutes(1),
      duration: Duration.minutes(5),
      heading: 'Cache replication lag',
      meaning: 'A cache replica lags by at least 10 seconds. Logins wait for a replica and may fail.',
      firstStep: 'Check whether the primary is overloaded or a node is being replaced.',
    });
  }
}

function graphs({ sessionCache }: SessionCacheMonitoringProps): IWidget[][] {
  const row = { width: 6, height: 6 };
  return [
    [
      new GraphWidget({
        ...row,
        title: 'Cache: engine CPU (%)',
        left: sessionCache.metrics('EngineCPUUtilization', 'Average'),
      }),
      new GraphWidget({
        ...row,
        title: 'Cache: memory (%)',
        left: sessionCache.metrics('DatabaseMemoryUsagePercentage', 'Maximum'),
        right: sessionCache.metrics('Evictions', 'Sum'),
      }),
      new GraphWidget({
        ...row,
        title: 'Cache: connections',
        left: sessionCache.metrics('CurrConnections', 'Maximum'),
      }),
      new GraphWidget({
        ...row,
        title: 'Cache: replication lag (s)',
        left: sessionCache.metrics('ReplicationLag', 'Maximum'),
      }),
    ],
  ];
}
