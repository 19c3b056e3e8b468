import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

export interface JobQueueProps {
  /** Key that encrypts the messages. Who may send or receive also gets to use it. */
  readonly encryptionKey: IKey;

  /**
   * How long a message is hidden from other workers while one works on it, in whole seconds. A worker that dies gives its
   * message back when this is over; a job that takes longer must extend it.
   *
   * @default Duration.minutes(1)
   */
  readonly visibilityTimeout?: Duration;

  /**
   * How often a message is tried before it is put aside: 1 to 1000.
   *
   * @default 5
   */
  readonly maxReceiveCount?: number;
}

/**
 * A queue for background jobs: encrypted, TLS only, kept when its stack goes. A message that no worker could finish in
 * `maxReceiveCount` tries moves to the dead-letter queue, so that it neither blocks the others nor is lost.
 *
 *     const jobs = new JobQueue(this, 'JobQueue', { encryptionKey: stateKey.key });
 *     jobs.grantSend(servers.role);
 *     jobs.grantConsume(workers.role);
 *
 * A standard queue delivers at least once and in no order: the effect of a job must survive a second delivery.
 *
 * A dead letter keeps the time at which it was first sent, so both queues keep messages for the 14 days that SQS allows;
 * with less in the dead-letter queue, a letter could vanish on arrival.
 *
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
 */
export class JobQueue extends Construct {
  readonly queue: Queue;
  readonly deadLetterQueue: Queue;
  private readonly encryptionKey: IKey;

  constructor(scope: Construct, id: string, props: JobQueueProps) {
    super(scope, id);
    const { visibilityTimeout = Duration.minutes(1), maxReceiveCount = 5 } = props;
    validate(visibilityTimeout, maxReceiveCount);
    this.encryptionKey = props.encryptionKey;

    const kept = {
      encryption: QueueEncryption.KMS,
      encryptionMasterKey: props.encryptionKey,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    };
    this.deadLetterQueue = new Queue(this, 'DeadLetters', kept);
    this.queue = new Queue(this, 'Queue', {
      ...kept,
      visibilityTimeout,
      receiveMessageWaitTime: Duration.seconds(20),
      deadLetterQueue: { queue: this.deadLetterQueue, maxReceiveCount },
    });
  }

  /** Lets a role put jobs into the queue. */
  grantSend(role: IGrantable): void {
    this.queue.grant(role, 'sqs:SendMessage', 'sqs:GetQueueAttributes');
    // Named one by one: `grantEncrypt` gives whole families of actions.
    this.encryptionKey.grant(role, 'kms:GenerateDataKey', 'kms:Decrypt');
  }

  /** Lets a role take jobs from the queue. */
  grantConsume(role: IGrantable): void {
    this.queue.grant(
      role,
      'sqs:ReceiveMessage',
      'sqs:DeleteMessage',
      'sqs:ChangeMessageVisibility',
      'sqs:GetQueueAttributes',
    );
    this.encryptionKey.grant(role, 'kms:Decrypt');
  }

  /** Messages that wait for a worker. */
  metricBacklog(): Metric {
    return this.queue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum' });
  }

  /** Age of the message that has waited longest, in seconds. */
  metricOldestAge(): Metric {
    return this.queue.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum' });
  }

  /** Messages that no worker could finish. */
  metricDeadLetters(): Metric {
    return this.deadLetterQueue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum' });
  }
}

function validate(visibilityTimeout: Duration, maxReceiveCount: number): void {
  const seconds = visibilityTimeout.toSeconds();
  if (seconds < 1 || seconds > 43_200) {
    throw new Error(`JobQueue: visibilityTimeout of ${seconds} s must be from 1 s to 12 hours`);
  }
  if (!Number.isInteger(maxReceiveCount) || maxReceiveCount < 1 || maxReceiveCount > 1000) {
    throw new Error(`JobQueue: maxReceiveCount ${maxReceiveCount} must be a whole number from 1 to 1000`);
  }
}
