import { Duration } from 'aws-cdk-lib';
import { GraphWidget, type IWidget } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { Fleet } from '../tiers/fleet';
import { RunbookAlarm } from './runbook-alarm';

export interface ElasticityMonitoringProps {
  readonly fleet: Fleet;
  /** Maximum size of the fleet. */
  readonly maxSize: number;
  readonly topic: ITopic;
}

/** Alarm on a fleet near its maximum size, and the dashboard row of its scaling. */
export class ElasticityMonitoring extends Construct {
  readonly widgets: IWidget[][];

  constructor(scope: Construct, id: string, { fleet, maxSize, topic }: ElasticityMonitoringProps) {
    super(scope, id);
    const inService = fleet.metricGroup('GroupInServiceInstances', 'Average');
    const desired = fleet.metricGroup('GroupDesiredCapacity', 'Average');
    new RunbookAlarm(this, 'NearlyFull', {
      topic,
      metric: inService,
      atLeast: Math.ceil(maxSize * 0.9),
      duration: Duration.minutes(10),
      heading: 'Fleet near maximum size',
      meaning:
        'At least 90% of the maximum number of servers are in service. The fleet will soon be unable to scale out.',
      firstStep: 'For legitimate traffic, raise the maximum and check the number of database connections.',
    });
    this.widgets = [
      [
        new GraphWidget({
          width: 12,
          height: 6,
          title: 'Fleet: desired capacity, servers in service',
          left: [desired, inService],
          leftAnnotations: [{ value: maxSize, label: 'maximum' }],
        }),
        new GraphWidget({
          width: 12,
          height: 6,
          title: 'Fleet: pending and terminating servers',
          left: [
            fleet.metricGroup('GroupPendingInstances', 'Maximum'),
            fleet.metricGroup('GroupTerminatingInstances', 'Maximum'),
          ],
        }),
      ],
    ];
  }
}
