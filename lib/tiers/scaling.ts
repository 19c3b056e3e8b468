import { Duration } from 'aws-cdk-lib';
import { CfnScalingPolicy, CfnScheduledAction } from 'aws-cdk-lib/aws-autoscaling';
import { Alarm, ComparisonOperator, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';

export interface ScheduledAction {
  /** Name of the action: letters, digits. A changed name is another action. */
  readonly name: string;

  /** When, as the five fields of cron: minute, hour, day of the month, month, day of the week. */
  readonly cron: string;

  /** Fewest servers from then on. */
  readonly minSize: number;
}

export interface ScalingProps {
  /** Name of the Auto Scaling group. */
  readonly groupName: string;

  /** Fewest and most servers of the group, to check the schedule against. */
  readonly minSize: number;
  readonly maxSize: number;

  /**
   * Full names of load balancer and target group: `app/name/id/targetgroup/name/id`.
   *
   * @default - no policy on requests
   */
  readonly resourceLabel?: string;

  /**
   * CPU that the group is kept at, in percent: 10 to 90.
   *
   * @default 60
   */
  readonly cpuTarget?: number;

  /**
   * Requests per server and minute that the group is kept at. Measure it: what one server answers at `cpuTarget`.
   *
   * @default 6000 (100 a second)
   */
  readonly requestsPerTarget?: number;

  /**
   * CPU in percent above which, for `stepAfter`, `stepServers` are added at once.
   *
   * @default 70
   */
  readonly stepCpu?: number;

  /** @default Duration.minutes(5), in whole minutes */
  readonly stepAfter?: Duration;

  /** @default 2 */
  readonly stepServers?: number;

  /**
   * The cool-down: how long a server that was just added does not count as able to help, so that the same peak does not add
   * servers again and again.
   *
   * @default Duration.minutes(5)
   */
  readonly instanceWarmup?: Duration;

  /**
   * Minimum sizes by the clock, ahead of a peak that is known.
   *
   * @default - none
   */
  readonly scheduledActions?: readonly ScheduledAction[];

  /**
   * IANA time zone of `scheduledActions`; summer time is kept.
   *
   * @default 'Etc/UTC'
   */
  readonly timeZone?: string;

  /**
   * Whether the forecast of predictive scaling is only shown, or also acted on. It needs a day of history, is good after two
   * weeks, and takes all servers for equal: look at its forecast against what came before letting it act.
   *
   * @default 'ForecastOnly'
   */
  readonly predictiveMode?: 'ForecastOnly' | 'ForecastAndScale';
}

/**
 * When an Auto Scaling group grows and shrinks, by policies of four kinds:
 *
 * - target tracking keeps CPU, and requests per server, at a value; whichever asks for more servers wins, and it shrinks the
 *   group only when both agree
 * - a step policy adds servers at once when CPU stays high, faster than target tracking does
 * - scheduled actions raise the minimum ahead of a known peak
 * - predictive scaling learns days and weeks, and starts servers before they are needed
 *
 *     new Scaling(this, 'Scaling', { groupName: fleet.group.ref, minSize: 2, maxSize: 20, resourceLabel });
 *
 * Only target tracking shrinks the group: a step down would fight with it.
 *
 * @see https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html
 */
export class Scaling extends Construct {
  constructor(scope: Construct, id: string, props: ScalingProps) {
    super(scope, id);
    validate(props);
    this.trackCpu(props);
    if (props.resourceLabel) this.trackRequests(props, props.resourceLabel);
    this.addStepScaling(props);
    this.addScheduledActions(props);
    this.addPredictiveScaling(props);
  }

  private trackCpu(props: ScalingProps): void {
    new CfnScalingPolicy(this, 'Cpu', {
      autoScalingGroupName: props.groupName,
      policyType: 'TargetTrackingScaling',
      estimatedInstanceWarmup: warmupSeconds(props),
      targetTrackingConfiguration: {
        predefinedMetricSpecification: { predefinedMetricType: 'ASGAverageCPUUtilization' },
        targetValue: props.cpuTarget ?? 60,
      },
    });
  }

  private trackRequests(props: ScalingProps, resourceLabel: string): void {
    new CfnScalingPolicy(this, 'Requests', {
      autoScalingGroupName: props.groupName,
      policyType: 'TargetTrackingScaling',
      estimatedInstanceWarmup: warmupSeconds(props),
      targetTrackingConfiguration: {
        predefinedMetricSpecification: { predefinedMetricType: 'ALBRequestCountPerTarget', resourceLabel },
        targetValue: props.requestsPerTarget ?? 6000,
      },
    });
  }

  private addStepScaling(props: ScalingProps): void {
    const policy = new CfnScalingPolicy(this, 'Step', {
      autoScalingGroupName: props.groupName,
      policyType: 'StepScaling',
      adjustmentType: 'ChangeInCapacity',
      metricAggregationType: 'Average',
      estimatedInstanceWarmup: warmupSeconds(props),
      stepAdjustments: [{ metricIntervalLowerBound: 0, scalingAdjustment: props.stepServers ?? 2 }],
    });
    const alarm = new Alarm(this, 'StepAlarm', {
      alarmDescription: 'Adds servers to the group. It tells nobody.',
      metric: new Metric({
        namespace: 'AWS/EC2',
        metricName: 'CPUUtilization',
        statistic: 'Average',
        period: Duration.minutes(1),
        dimensionsMap: { AutoScalingGroupName: props.groupName },
      }),
      threshold: props.stepCpu ?? 70,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: (props.stepAfter ?? Duration.minutes(5)).toMinutes(),
    });
    alarm.addAlarmAction({ bind: () => ({ alarmActionArn: policy.ref }) });
  }

  private addScheduledActions(props: ScalingProps): void {
    for (const { name, cron, minSize } of props.scheduledActions ?? []) {
      new CfnScheduledAction(this, name, {
        autoScalingGroupName: props.groupName,
        recurrence: cron,
        timeZone: props.timeZone ?? 'Etc/UTC',
        minSize,
      });
    }
  }

  private addPredictiveScaling(props: ScalingProps): void {
    new CfnScalingPolicy(this, 'Predictive', {
      autoScalingGroupName: props.groupName,
      policyType: 'PredictiveScaling',
      predictiveScalingConfiguration: {
        mode: props.predictiveMode ?? 'ForecastOnly',
        schedulingBufferTime: warmupSeconds(props),
        maxCapacityBreachBehavior: 'HonorMaxCapacity',
        metricSpecifications: [
          {
            targetValue: props.cpuTarget ?? 60,
            predefinedMetricPairSpecification: { predefinedMetricType: 'ASGCPUUtilization' },
          },
        ],
      },
    });
  }
}

function warmupSeconds(props: ScalingProps): number {
  return (props.instanceWarmup ?? Duration.minutes(5)).toSeconds();
}

function validate(props: ScalingProps): void {
  const { cpuTarget = 60, stepCpu = 70, stepServers = 2, requestsPerTarget = 6000, scheduledActions = [] } = props;
  if (cpuTarget < 10 || cpuTarget > 90) throw new Error(`Scaling: cpuTarget ${cpuTarget} must be from 10 to 90`);
  if (stepCpu <= cpuTarget || stepCpu >= 100) {
    throw new Error(`Scaling: stepCpu ${stepCpu} must be above cpuTarget (${cpuTarget}) and below 100`);
  }
  if (!Number.isInteger(stepServers) || stepServers < 1) {
    throw new Error(`Scaling: stepServers ${stepServers} must be a whole number from 1`);
  }
  if (!(requestsPerTarget > 0)) throw new Error(`Scaling: requestsPerTarget ${requestsPerTarget} must be above 0`);
  for (const { name, cron, minSize } of scheduledActions) {
    if (cron.trim().split(/\s+/).length !== 5) {
      throw new Error(`Scaling: schedule ${name} has cron "${cron}", which must have five fields`);
    }
    if (minSize < props.minSize || minSize > props.maxSize) {
      throw new Error(
        `Scaling: schedule ${name} has minSize ${minSize}, allowed is ${props.minSize} to ${props.maxSize}`,
      );
    }
  }
}
