import { startMoto } from '../../emulator/moto';
import { emulatorEnv, QUIET_SDK, REGION } from '../../support/aws-environment';
import type { Part, Parts } from './parts';

/** As the queue of phase 4: seconds that a job is hidden for once it is handed out, and how often it is. */
const VISIBILITY_TIMEOUT = 60;
const MAX_RECEIVE_COUNT = 5;

/** SQS and CloudWatch by moto, with the queue of phase 4. */
export interface SqsQueue extends Part {
  /** What the app is told: of the queue, and where AWS is. */
  readonly environment: Readonly<Record<string, string>>;
  /** Jobs that wait or are being done. */
  jobs(): Promise<number>;
}

/** @throws with the command that installs moto, when it is not here */
export async function startSqsQueue(parts: Parts): Promise<SqsQueue> {
  Object.assign(process.env, QUIET_SDK);
  // The other phases never load it.
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
