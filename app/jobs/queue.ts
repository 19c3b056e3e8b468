import type { Message, SQSClient } from '@aws-sdk/client-sqs';

/** Messages that SQS takes or gives at once. */
export const BATCH = 10;

/** Seconds for which SQS lets a request for messages wait for one. */
const LONG_POLL = 20;

/** Milliseconds that sending may take: the database waits with it, in a transaction. */
const SEND_TIMEOUT = 3_000;

/** A job that the queue handed out. */
export interface Delivery {
  readonly job: string;
  readonly receipt: string;
  /** How often the queue has handed it out, this time included. */
  readonly count: number;
}

/** The queue of job ids in Amazon SQS: each comes out at least once, in no order. */
export class SqsClient {
  private constructor(
    private readonly url: string,
    private readonly sqs: SQSClient,
    private readonly sdk: typeof import('@aws-sdk/client-sqs'),
  ) {}

  static async open(url: string): Promise<SqsClient> {
    // A server without a queue never loads it.
    const sdk = await import('@aws-sdk/client-sqs');
    const region = /^https:\/\/sqs\.([^.]+)\./.exec(url)?.[1];
    const requestHandler = { connectionTimeout: 2_000, requestTimeout: (LONG_POLL + 5) * 1000 };
    return new SqsClient(url, new sdk.SQSClient({ ...(region && { region }), requestHandler, maxAttempts: 2 }), sdk);
  }

  /**
   * @param jobs at most {@link BATCH}
   * @returns those that the queue has taken
   */
  async send(jobs: readonly string[]): Promise<string[]> {
    const Entries = jobs.map((job) => ({ Id: job, MessageBody: JSON.stringify({ job }) }));
    const command = new this.sdk.SendMessageBatchCommand({ QueueUrl: this.url, Entries });
    const { Successful = [] } = await this.sqs.send(command, { abortSignal: AbortSignal.timeout(SEND_TIMEOUT) });
    return Successful.flatMap(({ Id }) => (Id === undefined ? [] : [Id]));
  }

  /** Up to {@link BATCH} jobs; waits for some, and returns none when there were none for a while. */
  async receive(signal: AbortSignal): Promise<Delivery[]> {
    const command = new this.sdk.ReceiveMessageCommand({
      QueueUrl: this.url,
      MaxNumberOfMessages: BATCH,
      WaitTimeSeconds: LONG_POLL,
      MessageSystemAttributeNames: ['ApproximateReceiveCount'],
    });
    const { Messages = [] } = await this.sqs.send(command, { abortSignal: signal });
    return Messages.map(toDelivery);
  }

  /** Hides the job from other workers for so many seconds from now; 0 gives it back. */
  async hide({ receipt }: Delivery, seconds: number): Promise<void> {
    const request = { QueueUrl: this.url, ReceiptHandle: receipt, VisibilityTimeout: seconds };
    await this.sqs.send(new this.sdk.ChangeMessageVisibilityCommand(request));
  }

  async remove(deliveries: readonly Delivery[]): Promise<void> {
    if (deliveries.length === 0) return;
    const Entries = deliveries.map(({ receipt }, index) => ({ Id: String(index), ReceiptHandle: receipt }));
    await this.sqs.send(new this.sdk.DeleteMessageBatchCommand({ QueueUrl: this.url, Entries }));
  }

  /** For how many seconds the queue hides what it hands out. */
  async hiddenFor(): Promise<number> {
    const request = { QueueUrl: this.url, AttributeNames: ['VisibilityTimeout' as const] };
    const { Attributes } = await this.sqs.send(new this.sdk.GetQueueAttributesCommand(request));
    return Number(Attributes?.VisibilityTimeout ?? 30);
  }

  close(): void {
    this.sqs.destroy();
  }
}

/** What is no message of ours names no job, and so ends as a dead letter. */
function toDelivery({ Body = '', ReceiptHandle = '', Attributes }: Message): Delivery {
  const job = /^\{"job":"(\d{1,18})"\}$/.exec(Body)?.[1] ?? '';
  return { job, receipt: ReceiptHandle, count: Number(Attributes?.ApproximateReceiveCount ?? 1) };
}
