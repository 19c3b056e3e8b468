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

/** Alarms on the connection pooler, and its row of a dashboard. */
export class ProxyMonitoring extends Construct {
  readonly widgets: IWidget[][];

  constructor(scope: Construct, id: string, { proxy, topic }: ProxyMonitoringProps) {
    super(scope, id);
    const pinned = proxy.metric('DatabaseConnectionsCurrentlySessionPinned', 'Maximum');
    const borrowing = proxy.metric('DatabaseConnectionsBorrowLatency', 'Average');
    new RunbookAlarm(this, 'BorrowSlow', {
      topic,
      metric: borrowing,
      // In microseconds.
      atLeast: 100_000,
      duration: Duration.minutes(10),
      heading: 'Database proxy busy',
      meaning: 'Statements wait a tenth of a second for a connection of the database: all are taken.',
      firstStep: 'Look for pinned sessions and slow statements before giving the database a bigger class.',
    });
    this.widgets = [
      [
        new GraphWidget({
          ...ROW,
          title: 'Proxy: connections of clients and of the database',
          left: [proxy.metric('ClientConnections', 'Maximum'), proxy.metric('DatabaseConnections', 'Maximum')],
        }),
        new GraphWidget({ ...ROW, title: 'Proxy: wait for a connection (µs)', left: [borrowing] }),
        new GraphWidget({ ...ROW, title: 'Proxy: pinned sessions', left: [pinned] }),
      ],
    ];
  }
}

const ROW = { width: 8, height: 6 };
