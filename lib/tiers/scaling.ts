import { Duration } from 'aws-cdk-lib';
import { CfnScalingPolicy, CfnScheduledAction } from 'aws-cdk-lib/aws-autoscaling';
import { Alarm, ComparisonOperator, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';

export interface ScheduledAction {
  /** Construct id of the action: letters and digits. Renaming it replaces the action. */
  readonly name: string;

  /** Cron expression with five fields: minute, hour, day of month, month, day of week. */
  readonly cron: string;

  /** Minimum size of the group from that time on. */
  readonly minSize: number;
}

export interface ScalingProps {
  /** Name of the Auto Scaling group. */
  readonly groupName: string;

  /** Minimum size of the group. Scheduled actions are validated against it. */
  readonly minSize: number;

  /** Maximum size of the group. Scheduled actions are validated against it. */
  readonly maxSize: number;

  /**
   * Resource label of `ALBRequestCountPerTarget`: `app/name/id/targetgroup/name/id`.
   *
   * @default - no request-based policy
   */
  readonly resourceLabel?: string;

  /**
   * Target of the average CPU utilization, in percent: 10 to 90.
   *
   * @default 60
   */
  readonly cpuTarget?: number;

  /**
   * Target of requests per server and minute. Measure the rate that one server handles at `cpuTarget`.
   *
   * @default 6000 (100 per second)
   */
  readonly requestsPerTarget?: number;

  /**
   * CPU threshold of the step scaling policy, in percent: above `cpuTarget` and below 100.
   *
   * @default 70
   */
  readonly stepCpu?: number;

  /**
   * How long CPU must stay above `stepCpu`, in whole minutes.
   *
   * @default Duration.minutes(5)
   */
  readonly stepAfter?: Duration;

  /**
   * Servers that the step scaling policy adds at once.
   *
   * @default 2
   */
  readonly stepServers?: number;

  /**
   * Instance warm-up: how long a new server is excluded from the group's metrics, so that one peak does not trigger repeated
   * scale-outs.
   *
   * @default Duration.minutes(5)
   */
  readonly instanceWarmup?: Duration;

  /**
   * Scheduled actions that change the minimum size ahead of a known peak.
   *
   * @default - none
   */
  readonly scheduledActions?: readonly ScheduledAction[];

  /**
   * IANA time zone of `scheduledActions`. Daylight saving time is respected.
   *
   * @default 'Etc/UTC'
   */
  readonly timeZone?: string;

  /**
   * Mode of predictive scaling. It needs 24 hours of history, improves until it has two weeks, and assumes servers of equal
   * capacity. Compare its forecast with the actual load before `ForecastAndScale`.
   *
   * @default 'ForecastOnly'
   */
  readonly predictiveMode?: 'ForecastOnly' | 'ForecastAndScale';
}

/**
 * Scaling policies of an Auto Scaling group:
 *
 * - target tracking on CPU and on requests per server: the group scales out for either, and scales in only when both allow it
 * - step scaling adds servers when CPU stays high, faster than target tracking
 * - scheduled actions raise the minimum size ahead of a known peak
 * - predictive scaling forecasts daily and weekly patterns and launches servers in advance
 *
 *     new Scaling(this, 'Scaling', { groupName: fleet.group.ref, minSize: 2, maxSize: 20, resourceLabel });
 *
 * Only target tracking scales in. A step scaling policy that scales in would conflict with it.
 *
 * Fixed cost: $0.10 a month in phase 4 (us-east-1, prices of 2024-07; `npm run cost -- phase-4`).
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
      alarmDescription: 'Triggers step scaling of the group. Sends no notification.',
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
  if (cpuTarget < 10 || cpuTarget > 90) throw new Error(`Scaling: cpuTarget must be from 10 to 90, got ${cpuTarget}.`);
  if (stepCpu <= cpuTarget || stepCpu >= 100) {
    throw new Error(`Scaling: stepCpu must be above cpuTarget (${cpuTarget}) and below 100, got ${stepCpu}.`);
  }
  if (!Number.isInteger(stepServers) || stepServers < 1) {
    throw new Error(`Scaling: stepServers must be a whole number of at least 1, got ${stepServers}.`);
  }
  if (!(requestsPerTarget > 0)) {
    throw new Error(`Scaling: requestsPerTarget must be greater than 0, got ${requestsPerTarget}.`);
  }
  for (const { name, cron, minSize } of scheduledActions) {
    if (cron.trim().split(/\s+/).length !== 5) {
      throw new Error(`Scaling: cron of scheduled action ${name} must have five fields, got "${cron}".`);
    }
    if (minSize < props.minSize || minSize > props.maxSize) {
      throw new Error(
        `Scaling: minSize of scheduled action ${name} must be from ${props.minSize} to ${props.maxSize}, got ${minSize}.`,
      );
    }
  }
}
