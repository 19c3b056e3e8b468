import { Duration } from 'aws-cdk-lib';
import { GraphWidget, type IWidget } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { DatabaseProxy } from '../tiers/database-proxy';
import { RunbookAlarm } from './runbook-alarm';

export interface ProxyMonitoringProps {
  readonly proxy: DatabaseProxy;
  readonly topic: ITopic;
}

/** Alarm and dashboard row of the database proxy. */
export class ProxyMonitoring extends Construct {
  readonly widgets: IWidget[][];

  constructor(scope: Construct, id: string, { proxy, topic }: ProxyMonitoringProps) {
    super(scope, id);
    const pinned = proxy.metric('DatabaseConnectionsCurrentlySessionPinned', 'Maximum');
    const borrowLatency = proxy.metric('DatabaseConnectionsBorrowLatency', 'Average');
    new RunbookAlarm(this, 'BorrowSlow', {
      topic,
      metric: borrowLatency,
      // Microseconds.
      atLeast: 100_000,
      duration: Duration.minutes(10),
      heading: 'Database proxy saturated',
      meaning: 'Clients wait at least 100 ms to borrow a database connection. All connections are in use.',
      firstStep: 'Check for pinned sessions and slow statements before you deploy a larger database class.',
    });
    this.widgets = [
      [
        new GraphWidget({
          ...ROW,
          title: 'Proxy: client and database connections',
          left: [proxy.metric('ClientConnections', 'Maximum'), proxy.metric('DatabaseConnections', 'Maximum')],
        }),
        new GraphWidget({ ...ROW, title: 'Proxy: connection borrow latency (µs)', left: [borrowLatency] }),
        new GraphWidget({ ...ROW, title: 'Proxy: pinned sessions', left: [pinned] }),
      ],
    ];
  }
}

const ROW = { width: 8, height: 6 };
