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
  /** Servers that there should be at least. */
  readonly minSize: number;
  readonly topic: ITopic;
}

/** Alarms on a fleet of servers, and its row of a dashboard. */
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
      // Longer than one server takes to be replaced in a deploy.
      duration: Duration.minutes(20),
      treatMissingDataAsBreaching: true,
      heading: 'Fleet too small',
      meaning: `Fewer than ${minSize} servers have been in service for 20 minutes: new ones do not come up.`,
      firstStep: 'Look at the activities of the Auto Scaling group, and at the log of a server that failed.',
    });
  }

  private addLoadAlarms({ fleet, topic }: FleetMonitoringProps): void {
    new RunbookAlarm(this, 'CpuHigh', {
      topic,
      metric: fleet.metric('CPUUtilization', 'Average'),
      atLeast: 70,
      duration: Duration.minutes(15),
      heading: 'Fleet CPU high',
      meaning: 'The servers have been above 70% CPU for 15 minutes: with one fewer they would be overloaded.',
      firstStep: 'If it is ordinary traffic, deploy more servers.',
    });
    new RunbookAlarm(this, 'MemoryHigh', {
      topic,
      metric: fleet.metricMemoryUsed(),
      atLeast: 90,
      duration: Duration.minutes(15),
      heading: 'Fleet memory high',
      meaning: 'Less than a tenth of the memory of a server is free: the kernel may soon kill a process of the shop.',
      firstStep: 'See which process grows (top on that server), then deploy the next size.',
    });
  }

  private addCreditAlarm({ fleet, topic }: FleetMonitoringProps): void {
    new RunbookAlarm(this, 'CpuCreditsLow', {
      topic,
      metric: fleet.metric('CPUCreditBalance', 'Average'),
      atMost: 20,
      // New servers start without credits and earn their first 20 within the hour.
      duration: Duration.hours(2),
      heading: 'Fleet CPU credits low',
      meaning: 'The burstable servers have nearly used up their CPU credits: from then on extra CPU time is billed.',
      firstStep: 'If the load stays, deploy more servers, or a size that is not burstable.',
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
        title: 'Servers: number',
        left: [
          fleet.metricGroup('GroupInServiceInstances', 'Average'),
          fleet.metricGroup('GroupDesiredCapacity', 'Average'),
          fleet.metricGroup('GroupMaxSize', 'Average'),
        ],
      }),
    ],
  ];
}
