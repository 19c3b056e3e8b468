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

/** Alarms on the cache, and its row of a dashboard. */
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
      meaning: 'A node of the cache has used more than 80% of its one engine thread for 15 minutes.',
      firstStep: 'Look for slow commands, then give the cache a faster class: more vCPUs do not help one thread.',
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
      meaning: 'The cache is 80% full: soon it evicts cached answers, and after those the oldest sessions.',
      firstStep: 'See whether sessions grew with visitors, then give the cache a bigger class.',
    });
    new RunbookAlarm(this, 'Evictions', {
      topic,
      metric: highest(sessionCache.metrics('Evictions', 'Sum'), 'Evictions'),
      atLeast: 1000,
      duration: Duration.minutes(15),
      heading: 'Cache evicts',
      meaning:
        'The cache has thrown out a thousand keys in each of three spans of 5 minutes: visitors may be logged out.',
      firstStep: 'Give the cache a bigger class.',
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
      meaning: 'A replica of the cache is 10 seconds behind: log-ins wait for a replica, and may be refused.',
      firstStep: 'See whether the primary is busy or a node is being replaced.',
    });
  }
}

function graphs({ sessionCache }: SessionCacheMonitoringProps): IWidget[][] {
  const row = { width: 6, height: 6 };
  return [
    [
      new GraphWidget({
        ...row,
        title: 'Cache: CPU of the engine (%)',
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
