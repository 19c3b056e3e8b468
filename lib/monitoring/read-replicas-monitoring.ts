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

/** Alarms and dashboard row of the read replicas. Empty without replicas. */
export class ReadReplicasMonitoring extends Construct {
  readonly widgets: IWidget[][];

  constructor(scope: Construct, id: string, props: ReadReplicasMonitoringProps) {
    super(scope, id);
    const hasReplicas = props.readReplicas.instances.length > 0;
    if (hasReplicas) this.addAlarms(props);
    this.widgets = hasReplicas ? graphs(props) : [];
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
        'A replica has lagged by at least 30 seconds for 10 minutes. The shop excludes it, and the others serve its reads.',
      firstStep: 'Check for a long query on the replica, or a burst of writes on the primary.',
    });
    new RunbookAlarm(this, 'CpuHigh', {
      topic,
      metric: highest(readReplicas.metrics('CPUUtilization', 'Average'), 'CPUUtilization'),
      atLeast: 80,
      duration: Duration.minutes(15),
      heading: 'Replica CPU high',
      meaning: 'CPU of a replica has been above 80% for 15 minutes. Its reads are slow and its lag may grow.',
      firstStep: 'Check the hit ratio of the catalog cache, then add a replica.',
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
