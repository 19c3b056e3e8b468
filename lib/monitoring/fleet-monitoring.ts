import { Duration } from 'aws-cdk-lib';
import { GraphWidget, type IWidget } from 'aws-cdk-lib/aws-cloudwatch';
import type { InstanceType } from 'aws-cdk-lib/aws-ec2';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { Fleet } from '../tiers/fleet';
import { isBurstable } from './burstable';
import { RunbookAlarm } from './runbook-alarm';

export interface FleetMonitoringProps {
  readonly fleet: Fleet;
  readonly instanceType: InstanceType;
  /** Minimum number of servers in service. */
  readonly minSize: number;
  readonly topic: ITopic;
}

/** Alarms and dashboard row of a fleet of servers. */
export class FleetMonitoring extends Construct {
  readonly widgets: IWidget[][];

  constructor(scope: Construct, id: string, props: FleetMonitoringProps) {
    super(scope, id);
    this.addSizeAlarm(props);
    this.addLoadAlarms(props);
    if (isBurstable(props.instanceType)) this.addCreditAlarm(props);
    this.widgets = graphs(props);
  }

  private addSizeAlarm({ fleet, minSize, topic }: FleetMonitoringProps): void {
    new RunbookAlarm(this, 'TooFew', {
      topic,
      metric: fleet.metricGroup('GroupInServiceInstances', 'Maximum'),
      atMost: minSize - 1,
      // Longer than the replacement of one server in a deploy.
      duration: Duration.minutes(20),
      treatMissingDataAsBreaching: true,
      heading: 'Fleet too small',
      meaning: `Fewer than ${minSize} servers have been in service for 20 minutes. New servers fail to launch.`,
      firstStep: 'Check the activity history of the Auto Scaling group and the log of a failed server.',
    });
  }

  private addLoadAlarms({ fleet, topic }: FleetMonitoringProps): void {
    new RunbookAlarm(this, 'CpuHigh', {
      topic,
      metric: fleet.metric('CPUUtilization', 'Average'),
      atLeast: 70,
      duration: Duration.minutes(15),
      heading: 'Fleet CPU high',
      meaning: 'CPU of the servers has been above 70% for 15 minutes. The loss of one would overload the others.',
      firstStep: 'For normal traffic, deploy more servers.',
    });
    new RunbookAlarm(this, 'MemoryHigh', {
      topic,
      metric: fleet.metricMemoryUsed(),
      atLeast: 90,
      duration: Duration.minutes(15),
      heading: 'Fleet memory high',
      meaning: 'Less than 10% of the memory of a server is free. The kernel may soon kill a process of the shop.',
      firstStep: 'Find the growing process (top on that server), then deploy the next size.',
    });
  }

  private addCreditAlarm({ fleet, topic }: FleetMonitoringProps): void {
    new RunbookAlarm(this, 'CpuCreditsLow', {
      topic,
      metric: fleet.metric('CPUCreditBalance', 'Average'),
      atMost: 20,
      // New servers start without credits and earn their first 20 within an hour.
      duration: Duration.hours(2),
      heading: 'Fleet CPU credits low',
      meaning: 'The burstable servers have nearly used up their CPU credits. Surplus credits are billed.',
      firstStep: 'If the load persists, deploy more servers or a size that is not burstable.',
    });
  }
}

function graphs({ fleet, instanceType }: FleetMonitoringProps): IWidget[][] {
  const row = { width: 6, height: 6 };
  const credits = isBurstable(instanceType) ? [fleet.metric('CPUCreditBalance', 'Average')] : [];
  return [
    [
      new GraphWidget({
        ...row,
        title: 'Servers: CPU (%)',
        left: [fleet.metric('CPUUtilization', 'Average'), fleet.metric('CPUUtilization', 'Maximum')],
        right: credits,
      }),
      new GraphWidget({
        ...row,
        title: 'Servers: memory (%)',
        left: [fleet.metricMemoryUsed('Average'), fleet.metricMemoryUsed('Maximum')],
      }),
      new GraphWidget({
        ...row,
        title: 'Servers: network (bytes)',
        left: [fleet.metric('NetworkIn', 'Average'), fleet.metric('NetworkOut', 'Average')],
      }),
      new GraphWidget({
        ...row,
        title: 'Servers: count',
        left: [
          fleet.metricGroup('GroupInServiceInstances', 'Average'),
          fleet.metricGroup('GroupDesiredCapacity', 'Average'),
          fleet.metricGroup('GroupMaxSize', 'Average'),
        ],
      }),
    ],
  ];
}
