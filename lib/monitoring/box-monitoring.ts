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

/** Alarms and dashboard rows of a single instance. */
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
      heading: 'Instance unhealthy',
      meaning: 'The instance fails its status checks or reports no data. The shop is probably down.',
      firstStep:
        'For a failed system check, wait for EC2 to recover the instance on another host. For a failed instance check, ' +
        'reboot it.',
    });
  }

  private addLoadAlarms({ box, topic }: BoxMonitoringProps): void {
    new RunbookAlarm(this, 'CpuHigh', {
      topic,
      metric: box.metric('CPUUtilization', 'Average'),
      atLeast: 80,
      duration: Duration.minutes(15),
      heading: 'Instance CPU high',
      meaning: 'CPU of the instance has been above 80% for 15 minutes. Latency rises with every additional user.',
      firstStep: 'For normal traffic, deploy the next size, or the next phase after the largest size.',
    });
    new RunbookAlarm(this, 'MemoryHigh', {
      topic,
      metric: box.metricMemoryUsed(),
      atLeast: 90,
      duration: Duration.minutes(15),
      heading: 'Instance memory high',
      meaning: 'Less than 10% of the memory is free. The kernel may soon kill a process of the shop or its database.',
      firstStep: 'Find the growing process (top), then deploy the next size.',
    });
  }

  private addDiskAlarms({ box, topic }: BoxMonitoringProps): void {
    new RunbookAlarm(this, 'DataDiskFull', {
      topic,
      metric: box.metricDiskUsed('/data'),
      atLeast: 80,
      duration: Duration.minutes(10),
      heading: 'Data disk filling up',
      meaning: 'The data volume is 80% full. When it is full, no order can be saved.',
      firstStep:
        'Find the growing directory below /data, then deploy a size with a larger volume (one change every 6 hours).',
    });
    new RunbookAlarm(this, 'RootDiskFull', {
      topic,
      metric: box.metricDiskUsed('/'),
      atLeast: 80,
      duration: Duration.minutes(10),
      heading: 'Root disk filling up',
      meaning: 'The root volume is 80% full. When it is full, deploys fail and logs are lost.',
      firstStep: 'Check /var/log and /opt/shop/releases.',
    });
  }

  private addCreditAlarm({ box, topic }: BoxMonitoringProps): void {
    new RunbookAlarm(this, 'CpuCreditsLow', {
      topic,
      metric: box.metric('CPUCreditBalance', 'Minimum'),
      atMost: 20,
      // A new instance starts without credits and earns its first 20 within an hour.
      duration: Duration.hours(2),
      heading: 'Instance CPU credits low',
      meaning: 'The burstable instance has nearly used up its CPU credits. Surplus credits are billed.',
      firstStep: 'If the load persists, deploy a size that is not burstable.',
    });
  }
}

function graphs({ box, instanceType }: BoxMonitoringProps): IWidget[][] {
  const row = { width: 8, height: 6 };
  const cpu = box.metric('CPUUtilization', 'Average');
  const credits = isBurstable(instanceType) ? [box.metric('CPUCreditBalance', 'Minimum')] : [];
  return [
    [
      new GraphWidget({ ...row, title: 'Instance: CPU (%)', left: [cpu], right: credits }),
      new GraphWidget({ ...row, title: 'Instance: memory (%)', left: [box.metricMemoryUsed()] }),
      new GraphWidget({
        ...row,
        title: 'Instance: disks (%)',
        left: [box.metricDiskUsed('/data'), box.metricDiskUsed('/')],
      }),
    ],
    [
      new GraphWidget({
        ...row,
        title: 'Instance: network (bytes)',
        left: [box.metric('NetworkIn', 'Sum'), box.metric('NetworkOut', 'Sum')],
      }),
      new GraphWidget({
        ...row,
        title: 'Data volume: operations',
        left: [box.metricDataVolume('VolumeReadOps', 'Sum'), box.metricDataVolume('VolumeWriteOps', 'Sum')],
      }),
      new GraphWidget({
        ...row,
        title: 'Data volume: queue length',
        left: [box.metricDataVolume('VolumeQueueLength', 'Average')],
      }),
    ],
  ];
}
