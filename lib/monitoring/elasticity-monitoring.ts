import { Duration } from 'aws-cdk-lib';
import { GraphWidget, type IWidget } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { Fleet } from '../tiers/fleet';
import { RunbookAlarm } from './runbook-alarm';

export interface ElasticityMonitoringProps {
  readonly fleet: Fleet;
  /** Most servers of the fleet. */
  readonly maxSize: number;
  readonly topic: ITopic;
}

/** Whether the fleet can still grow, and its row of a dashboard. */
export class ElasticityMonitoring extends Construct {
  readonly widgets: IWidget[][];

  constructor(scope: Construct, id: string, { fleet, maxSize, topic }: ElasticityMonitoringProps) {
    super(scope, id);
    const running = fleet.metricGroup('GroupInServiceInstances', 'Average');
    const wanted = fleet.metricGroup('GroupDesiredCapacity', 'Average');
    new RunbookAlarm(this, 'NearlyFull', {
      topic,
      metric: running,
      atLeast: Math.ceil(maxSize * 0.9),
      duration: Duration.minutes(10),
      heading: 'Fleet nearly at its maximum',
      meaning: 'Nine tenths of the servers that the fleet may have are running: soon it cannot grow.',
      firstStep: 'If it is real traffic, raise the maximum, and check the connections of the database with it.',
    });
    this.widgets = [
      [
        new GraphWidget({
          width: 12,
          height: 6,
          title: 'Fleet: servers wanted and in service',
          left: [wanted, running],
          leftAnnotations: [{ value: maxSize, label: 'maximum' }],
        }),
        new GraphWidget({
          width: 12,
          height: 6,
          title: 'Fleet: servers that start and end',
          left: [
            fleet.metricGroup('GroupPendingInstances', 'Maximum'),
            fleet.metricGroup('GroupTerminatingInstances', 'Maximum'),
          ],
        }),
      ],
    ];
  }
}
