import { Duration } from 'aws-cdk-lib';
import { GraphWidget, type IWidget } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { ReadReplicas } from '../tiers/read-replicas';
import { highest } from './highest';
import { RunbookAlarm } from './runbook-alarm';

export interface ReadReplicasMonitoringProps {
  readonly readReplicas: ReadReplicas;
  readonly topic: ITopic;
}

/** Alarms on the replicas of the database, and their row of a dashboard; nothing where there are none. */
export class ReadReplicasMonitoring extends Construct {
  readonly widgets: IWidget[][];

  constructor(scope: Construct, id: string, props: ReadReplicasMonitoringProps) {
    super(scope, id);
    const any = props.readReplicas.instances.length > 0;
    if (any) this.addAlarms(props);
    this.widgets = any ? graphs(props) : [];
  }

  private addAlarms({ readReplicas, topic }: ReadReplicasMonitoringProps): void {
    new RunbookAlarm(this, 'Lag', {
      topic,
      metric: highest(readReplicas.metrics('ReplicaLag', 'Maximum'), 'ReplicaLag'),
      atLeast: 30,
      period: Duration.minutes(1),
      duration: Duration.minutes(10),
      heading: 'Replica lag',
      meaning:
        'A replica has been 30 seconds behind for 10 minutes: the shop leaves it out, and the others carry its reads.',
      firstStep: 'Look for a long query on the replica, or a burst of writes on the primary.',
    });
    new RunbookAlarm(this, 'CpuHigh', {
      topic,
      metric: highest(readReplicas.metrics('CPUUtilization', 'Average'), 'CPUUtilization'),
      atLeast: 80,
      duration: Duration.minutes(15),
      heading: 'Replica CPU high',
      meaning: 'A replica has been above 80% CPU for 15 minutes: it answers slowly, and may fall behind.',
      firstStep: 'See the hit ratio of the catalogue cache, then deploy one more replica.',
    });
  }
}

function graphs({ readReplicas }: ReadReplicasMonitoringProps): IWidget[][] {
  const row = { width: 8, height: 6 };
  return [
    [
      new GraphWidget({ ...row, title: 'Replicas: CPU (%)', left: readReplicas.metrics('CPUUtilization', 'Average') }),
      new GraphWidget({ ...row, title: 'Replicas: lag (s)', left: readReplicas.metrics('ReplicaLag', 'Maximum') }),
      new GraphWidget({
        ...row,
        title: 'Replicas: connections',
        left: readReplicas.metrics('DatabaseConnections', 'Maximum'),
      }),
    ],
  ];
}
