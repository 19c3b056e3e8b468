import { Duration } from 'aws-cdk-lib';
import { CfnScalingPolicy } from 'aws-cdk-lib/aws-autoscaling';
import { Construct } from 'constructs';

export interface BacklogScalingProps {
  /** Name of the Auto Scaling group of workers. It must collect group metrics. */
  readonly groupName: string;

  /** Name of the SQS queue that they work on. */
  readonly queueName: string;

  /**
   * Messages that may wait for each worker: the longest wait that is acceptable, divided by the time of one job.
   *
   * @default 100
   */
  readonly backlogPerWorker?: number;

  /**
   * How long a new worker does not count as able to help.
   *
   * @default Duration.minutes(3)
   */
  readonly instanceWarmup?: Duration;
}

/**
 * Keeps the backlog of a queue for each of its workers at a value.
 *
 *     new BacklogScaling(this, 'Scaling', { groupName: workers.group.ref, queueName: jobs.queue.queueName });
 *
 * The length of the queue alone is no measure: the same 1000 messages are much for one worker and little for ten. The
 * quotient is computed by CloudWatch (metric math), so nothing has to publish it.
 *
 * @see https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-using-sqs-queue.html
 */
export class BacklogScaling extends Construct {
  constructor(scope: Construct, id: string, props: BacklogScalingProps) {
    super(scope, id);
    const { backlogPerWorker = 100 } = props;
    if (!(backlogPerWorker > 0))
      throw new Error(`BacklogScaling: backlogPerWorker ${backlogPerWorker} must be above 0`);

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
            // Without a worker the whole backlog counts, so that the first one starts.
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
