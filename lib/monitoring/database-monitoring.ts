import { Duration } from 'aws-cdk-lib';
import { GraphWidget, type IWidget } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { Database } from '../tiers/database';
import { isBurstable } from './burstable';
import { RunbookAlarm } from './runbook-alarm';

export interface DatabaseMonitoringProps {
  readonly database: Database;
  readonly topic: ITopic;
}

/** Alarms and dashboard row of the database. */
export class DatabaseMonitoring extends Construct {
  readonly widgets: IWidget[][];

  constructor(scope: Construct, id: string, props: DatabaseMonitoringProps) {
    super(scope, id);
    this.addLoadAlarms(props);
    this.addStorageAlarm(props);
    if (isBurstable(props.database.instanceType)) this.addCreditAlarm(props);
    this.widgets = graphs(props);
  }

  private addLoadAlarms({ database, topic }: DatabaseMonitoringProps): void {
    new RunbookAlarm(this, 'CpuHigh', {
      topic,
      metric: database.metric('CPUUtilization', 'Average'),
      atLeast: 80,
      duration: Duration.minutes(15),
      heading: 'Database CPU high',
      meaning: 'CPU of the database has been above 80% for 15 minutes. Pages that query it get slower.',
      firstStep: 'Find the top SQL statement by load in Performance Insights.',
    });
    new RunbookAlarm(this, 'ConnectionsHigh', {
      topic,
      metric: database.metric('DatabaseConnections', 'Maximum'),
      atLeast: Math.floor(database.maxConnections * 0.9),
      duration: Duration.minutes(10),
      heading: 'Database connections high',
      meaning: 'At least 90% of the database connections are in use, more than the pools of the shop may use together.',
      firstStep: 'Find the clients that hold them (pg_stat_activity) before you add servers.',
    });
  }

  private addStorageAlarm({ database, topic }: DatabaseMonitoringProps): void {
    new RunbookAlarm(this, 'StorageLow', {
      topic,
      metric: database.metric('FreeStorageSpace', 'Minimum'),
      atMost: 5 * 1024 ** 3,
      duration: Duration.minutes(15),
      heading: 'Database storage low',
      meaning:
        'Less than 5 GiB of storage is free despite storage autoscaling. When storage is full, the database stops.',
      firstStep: 'Check whether autoscaling has reached its maximum, or an unused replication slot retains WAL.',
    });
  }

  private addCreditAlarm({ database, topic }: DatabaseMonitoringProps): void {
    new RunbookAlarm(this, 'CpuCreditsLow', {
      topic,
      metric: database.metric('CPUCreditBalance', 'Minimum'),
      atMost: 20,
      // A new instance starts without credits and earns its first 20 within an hour.
      duration: Duration.hours(2),
      heading: 'Database CPU credits low',
      meaning: 'The burstable database has nearly used up its CPU credits. Surplus credits are billed.',
      firstStep: 'If the load persists, deploy an instance class that is not burstable.',
    });
  }
}

function graphs({ database }: DatabaseMonitoringProps): IWidget[][] {
  const row = { width: 6, height: 6 };
  return [
    [
      new GraphWidget({ ...row, title: 'Database: CPU (%)', left: [database.metric('CPUUtilization', 'Average')] }),
      new GraphWidget({
        ...row,
        title: 'Database: connections',
        left: [database.metric('DatabaseConnections', 'Maximum')],
        leftAnnotations: [{ value: database.maxConnections, label: 'limit' }],
      }),
      new GraphWidget({
        ...row,
        title: 'Database: latency (s)',
        left: [database.metric('ReadLatency', 'Average'), database.metric('WriteLatency', 'Average')],
      }),
      new GraphWidget({
        ...row,
        title: 'Database: free storage (bytes)',
        left: [database.metric('FreeStorageSpace', 'Minimum')],
      }),
    ],
  ];
}
