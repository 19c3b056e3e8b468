import { Duration } from 'aws-cdk-lib';
import { CfnScalingPolicy } from 'aws-cdk-lib/aws-autoscaling';
import { Construct } from 'constructs';

export interface BacklogScalingProps {
  /** Name of the workers' Auto Scaling group. Group metrics collection must be enabled. */
  readonly groupName: string;

  /** Name of the SQS queue that the workers consume. */
  readonly queueName: string;

  /**
   * Target backlog per worker, in messages: the longest acceptable wait divided by the duration of one job.
   *
   * @default 100
   */
  readonly backlogPerWorker?: number;

  /**
   * How long a new worker is excluded from the group's metrics.
   *
   * @default Duration.minutes(3)
   */
  readonly instanceWarmup?: Duration;
}

/**
 * Target tracking on the backlog per worker of an SQS queue.
 *
 *     new BacklogScaling(this, 'Scaling', { groupName: workers.group.ref, queueName: jobs.queue.queueName });
 *
 * Queue length alone is not a scaling metric: 1000 messages are a long backlog for one worker and a short one for ten.
 * CloudWatch metric math divides it by the number of workers, so no custom metric has to be published.
 *
 * @see https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-using-sqs-queue.html
 */
export class BacklogScaling extends Construct {
  constructor(scope: Construct, id: string, props: BacklogScalingProps) {
    super(scope, id);
    const { backlogPerWorker = 100 } = props;
    if (!(backlogPerWorker > 0))
      throw new Error(`BacklogScaling: backlogPerWorker must be greater than 0, got ${backlogPerWorker}.`);

    new CfnScalingPolicy(this, 'Backlog', {
      autoScalingGroupName: props.groupName,
      policyType: 'TargetTrackingScaling',
      estimatedInstanceWarmup: (props.instanceWarmup ?? Duration.minutes(3)).toSeconds(),
      targetTrackingConfiguration: {
        targetValue: backlogPerWorker,
        customizedMetricSpecification: {
          metrics: [
            input('backlog', 'AWS/SQS', 'ApproximateNumberOfMessagesVisible', 'Maximum', {
              name: 'QueueName',
              value: props.queueName,
            }),
            input('workers', 'AWS/AutoScaling', 'GroupInServiceInstances', 'Average', {
              name: 'AutoScalingGroupName',
              value: props.groupName,
            }),
            // Without workers the metric is the whole backlog, so that the first worker launches.
            { id: 'perWorker', expression: 'IF(workers > 0, backlog / workers, backlog)', returnData: true },
          ],
        },
      },
    });
  }
}

function input(
  id: string,
  namespace: string,
  metricName: string,
  stat: string,
  dimension: CfnScalingPolicy.MetricDimensionProperty,
): CfnScalingPolicy.TargetTrackingMetricDataQueryProperty {
  return { id, returnData: false, metricStat: { stat, metric: { namespace, metricName, dimensions: [dimension] } } };
}
