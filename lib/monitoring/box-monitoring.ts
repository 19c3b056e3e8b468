import { Duration } from 'aws-cdk-lib';
import { GraphWidget, type IWidget } from 'aws-cdk-lib/aws-cloudwatch';
import type { InstanceType } from 'aws-cdk-lib/aws-ec2';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { Box } from '../tiers/box';
import { isBurstable } from './burstable';
import { RunbookAlarm } from './runbook-alarm';

export interface BoxMonitoringProps {
  readonly box: Box;
  readonly instanceType: InstanceType;
  readonly topic: ITopic;
}

/** Alarms on one box, and its rows of a dashboard. */
export class BoxMonitoring extends Construct {
  readonly widgets: IWidget[][];

  constructor(scope: Construct, id: string, props: BoxMonitoringProps) {
    super(scope, id);
    this.addHealthAlarm(props);
    this.addLoadAlarms(props);
    this.addDiskAlarms(props);
    if (isBurstable(props.instanceType)) this.addCreditAlarm(props);
    this.widgets = graphs(props);
  }

  private addHealthAlarm({ box, topic }: BoxMonitoringProps): void {
    new RunbookAlarm(this, 'Unhealthy', {
      topic,
      metric: box.metric('StatusCheckFailed', 'Maximum'),
      atLeast: 1,
      period: Duration.minutes(1),
      duration: Duration.minutes(3),
      treatMissingDataAsBreaching: true,
      heading: 'Box unhealthy',
      meaning: 'The only server fails its status checks or is silent: the shop is most likely down.',
      firstStep:
        'A failed system check heals by itself (EC2 recovers the instance elsewhere); for a failed instance check, reboot it.',
    });
  }

  private addLoadAlarms({ box, topic }: BoxMonitoringProps): void {
    new RunbookAlarm(this, 'CpuHigh', {
      topic,
      metric: box.metric('CPUUtilization', 'Average'),
      atLeast: 80,
      duration: Duration.minutes(15),
      heading: 'Box CPU high',
      meaning: 'The box has been above 80% CPU for 15 minutes: pages get slower with every further visitor.',
      firstStep: 'If it is ordinary traffic, deploy the next size; at the top of the ladder, the next phase.',
    });
    new RunbookAlarm(this, 'MemoryHigh', {
      topic,
      metric: box.metricMemoryUsed(),
      atLeast: 90,
      duration: Duration.minutes(15),
      heading: 'Box memory high',
      meaning:
        'Less than a tenth of the memory is free: the kernel may soon kill a process of the shop or its database.',
      firstStep: 'See which process grows (top), then deploy the next size.',
    });
  }

  private addDiskAlarms({ box, topic }: BoxMonitoringProps): void {
    new RunbookAlarm(this, 'DataDiskFull', {
      topic,
      metric: box.metricDiskUsed('/data'),
      atLeast: 80,
      duration: Duration.minutes(10),
      heading: 'Data disk filling up',
      meaning: 'The data volume is 80% full: when it is full, no order can be saved.',
      firstStep: 'Find what grows below /data, then deploy a size with a bigger disk (allowed every 6 hours).',
    });
    new RunbookAlarm(this, 'RootDiskFull', {
      topic,
      metric: box.metricDiskUsed('/'),
      atLeast: 80,
      duration: Duration.minutes(10),
      heading: 'Root disk filling up',
      meaning: 'The root volume is 80% full: when it is full, deploys fail and logs are lost.',
      firstStep: 'Look at /var/log and /opt/shop/releases.',
    });
  }

  private addCreditAlarm({ box, topic }: BoxMonitoringProps): void {
    new RunbookAlarm(this, 'CpuCreditsLow', {
      topic,
      metric: box.metric('CPUCreditBalance', 'Minimum'),
      atMost: 20,
      // A new instance starts without credits and earns its first 20 within the hour.
      duration: Duration.hours(2),
      heading: 'Box CPU credits low',
      meaning: 'The burstable box has nearly used up its CPU credits: from then on extra CPU time is billed.',
      firstStep: 'If the load stays, deploy a size that is not burstable.',
    });
  }
}

function graphs({ box, instanceType }: BoxMonitoringProps): IWidget[][] {
  const row = { width: 8, height: 6 };
  const cpu = box.metric('CPUUtilization', 'Average');
  const credits = isBurstable(instanceType) ? [box.metric('CPUCreditBalance', 'Minimum')] : [];
  return [
    [
      new GraphWidget({ ...row, title: 'Box: CPU (%)', left: [cpu], right: credits }),
      new GraphWidget({ ...row, title: 'Box: memory (%)', left: [box.metricMemoryUsed()] }),
      new GraphWidget({
        ...row,
        title: 'Box: disks (%)',
        left: [box.metricDiskUsed('/data'), box.metricDiskUsed('/')],
      }),
    ],
    [
      new GraphWidget({
        ...row,
        title: 'Box: network (bytes)',
        left: [box.metric('NetworkIn', 'Sum'), box.metric('NetworkOut', 'Sum')],
      }),
      new GraphWidget({
        ...row,
        title: 'Data volume: operations',
        left: [box.metricDataVolume('VolumeReadOps', 'Sum'), box.metricDataVolume('VolumeWriteOps', 'Sum')],
      }),
      new GraphWidget({
        ...row,
        title: 'Data volume: queue',
        left: [box.metricDataVolume('VolumeQueueLength', 'Average')],
      }),
    ],
  ];
}
