import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

export interface JobQueueProps {
  /** KMS key that encrypts the messages. The grant methods also grant its use. */
  readonly encryptionKey: IKey;

  /**
   * Visibility timeout, in whole seconds: 1 s to 12 hours. The message of a worker that crashes becomes visible after it. A
   * job that takes longer must extend it.
   *
   * @default Duration.minutes(1)
   */
  readonly visibilityTimeout?: Duration;

  /**
   * Receives of a message before it moves to the dead-letter queue: 1 to 1000.
   *
   * @default 5
   */
  readonly maxReceiveCount?: number;
}

/**
 * An SQS queue for background jobs with a dead-letter queue. Both are encrypted, TLS only, and retained when the stack is
 * deleted.
 *
 *     const jobs = new JobQueue(this, 'JobQueue', { encryptionKey: stateKey.key });
 *     jobs.grantSend(servers.role);
 *     jobs.grantConsume(workers.role);
 *
 * A standard queue delivers at least once and in no particular order, so jobs must be idempotent.
 *
 * A message in the dead-letter queue keeps its original enqueue timestamp. Both queues therefore have the maximum retention
 * of 14 days: with less, a message could expire as soon as it is moved.
 *
 * Fixed cost: none; billed by usage (`npm run cost -- phase-4 --rps 100`).
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

  /** Grants permission to send messages to the queue. */
  grantSend(role: IGrantable): void {
    this.queue.grant(role, 'sqs:SendMessage', 'sqs:GetQueueAttributes');
    // `grantEncrypt` would grant wildcard actions.
    this.encryptionKey.grant(role, 'kms:GenerateDataKey', 'kms:Decrypt');
  }

  /** Grants permission to receive, extend and delete messages of the queue. */
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

  /** Number of messages that are visible to workers. */
  metricBacklog(): Metric {
    return this.queue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum' });
  }

  /** Age of the oldest message, in seconds. */
  metricOldestAge(): Metric {
    return this.queue.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum' });
  }

  /** Number of messages in the dead-letter queue. */
  metricDeadLetters(): Metric {
    return this.deadLetterQueue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum' });
  }
}

function validate(visibilityTimeout: Duration, maxReceiveCount: number): void {
  const seconds = visibilityTimeout.toSeconds();
  if (seconds < 1 || seconds > 43_200) {
    throw new Error(`JobQueue: visibilityTimeout must be from 1 to 43200 s (12 hours), got ${seconds} s.`);
  }
  if (!Number.isInteger(maxReceiveCount) || maxReceiveCount < 1 || maxReceiveCount > 1000) {
    throw new Error(`JobQueue: maxReceiveCount must be a whole number from 1 to 1000, got ${maxReceiveCount}.`);
  }
}
