import { startMoto } from '../../emulator/moto';
import { emulatorEnv, QUIET_SDK, REGION } from '../../support/aws-environment';
import type { Part, Parts } from './parts';

/** Settings of phase 4's queue: visibility timeout in seconds, and receives before the dead-letter queue. */
const VISIBILITY_TIMEOUT = 60;
const MAX_RECEIVE_COUNT = 5;

/** The queue of phase 4 on moto, which also serves CloudWatch. */
export interface SqsQueue extends Part {
  /** Environment variables for the app: queue URL and AWS endpoint. */
  readonly environment: Readonly<Record<string, string>>;
  /** Number of jobs, waiting or in flight. */
  jobs(): Promise<number>;
}

/**
 * Starts moto and creates the queue with its dead-letter queue.
 *
 * @throws Error with the command that installs moto, when it is missing
 */
export async function startSqsQueue(parts: Parts): Promise<SqsQueue> {
  Object.assign(process.env, QUIET_SDK);
  // Loaded on demand: only phase 4 uses the SDK.
  const { SQS } = await import('@aws-sdk/client-sqs');
  const { endpoint } = await parts.add(startMoto());
  const aws = Object.fromEntries(
    Object.entries(emulatorEnv(endpoint)).filter(([name]) => /^AWS_(?!EC2_METADATA_DISABLED)/.test(name)),
  ) as Record<string, string>;
  const credentials = { accessKeyId: 'emulator', secretAccessKey: 'emulator' };
  const sqs = new SQS({ endpoint, region: REGION, credentials, maxAttempts: 1 });
  const { QueueUrl: deadLetters } = await sqs.createQueue({ QueueName: 'dead-letters' });
  const { Attributes } = await sqs.getQueueAttributes({ QueueUrl: deadLetters, AttributeNames: ['QueueArn'] });
  const { QueueUrl = '' } = await sqs.createQueue({
    QueueName: 'jobs',
    Attributes: {
      VisibilityTimeout: String(VISIBILITY_TIMEOUT),
      RedrivePolicy: JSON.stringify({
        deadLetterTargetArn: Attributes?.QueueArn,
        maxReceiveCount: MAX_RECEIVE_COUNT,
      }),
    },
  });
  return parts.add({
    environment: { ...aws, QUEUE_URL: QueueUrl },
    jobs: async () => {
      const AttributeNames = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
      const { Attributes: counts = {} } = await sqs.getQueueAttributes({
        QueueUrl,
        AttributeNames: [...AttributeNames],
      });
      return AttributeNames.reduce((sum, name) => sum + Number(counts[name] ?? 0), 0);
    },
    stop: async () => sqs.destroy(),
  });
}
