import type { Message, SQSClient } from '@aws-sdk/client-sqs';

/** Maximum messages per SQS batch. */
export const BATCH = 10;

/** Maximum wait time of SQS long polling, in seconds. */
const LONG_POLL = 20;

/** Maximum duration of a send in milliseconds: a database transaction stays open meanwhile. */
const SEND_TIMEOUT = 3_000;

/** A message received from the queue. */
export interface Delivery {
  /** Id of the job; empty if the message is not the app's. */
  readonly job: string;
  readonly receipt: string;
  /** Times the message was received, including this one. */
  readonly receiveCount: number;
}

/** A queue of job ids in Amazon SQS (standard: at-least-once delivery, no order). */
export class SqsClient {
  private constructor(
    private readonly url: string,
    private readonly sqs: SQSClient,
    private readonly sdk: typeof import('@aws-sdk/client-sqs'),
  ) {}

  static async open(url: string): Promise<SqsClient> {
    // Loaded lazily, because servers without a queue do not need it.
    const sdk = await import('@aws-sdk/client-sqs');
    const region = /^https:\/\/sqs\.([^.]+)\./.exec(url)?.[1];
    const requestHandler = { connectionTimeout: 2_000, requestTimeout: (LONG_POLL + 5) * 1000 };
    return new SqsClient(url, new sdk.SQSClient({ ...(region && { region }), requestHandler, maxAttempts: 2 }), sdk);
  }

  /**
   * @param jobs at most {@link BATCH}
   * @returns the jobs that SQS accepted
   */
  async send(jobs: readonly string[]): Promise<string[]> {
    const Entries = jobs.map((job) => ({ Id: job, MessageBody: JSON.stringify({ job }) }));
    const command = new this.sdk.SendMessageBatchCommand({ QueueUrl: this.url, Entries });
    const { Successful = [] } = await this.sqs.send(command, { abortSignal: AbortSignal.timeout(SEND_TIMEOUT) });
    return Successful.flatMap(({ Id }) => (Id === undefined ? [] : [Id]));
  }

  /** Receives up to {@link BATCH} messages with long polling; returns none if none arrive. */
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

  /** Sets the remaining visibility timeout in seconds; 0 returns the message to the queue. */
  async setVisibilityTimeout({ receipt }: Delivery, seconds: number): Promise<void> {
    const request = { QueueUrl: this.url, ReceiptHandle: receipt, VisibilityTimeout: seconds };
    await this.sqs.send(new this.sdk.ChangeMessageVisibilityCommand(request));
  }

  async delete(deliveries: readonly Delivery[]): Promise<void> {
    if (deliveries.length === 0) return;
    const Entries = deliveries.map(({ receipt }, index) => ({ Id: String(index), ReceiptHandle: receipt }));
    await this.sqs.send(new this.sdk.DeleteMessageBatchCommand({ QueueUrl: this.url, Entries }));
  }

  /** Returns the visibility timeout of the queue in seconds. */
  async visibilityTimeout(): Promise<number> {
    const request = { QueueUrl: this.url, AttributeNames: ['VisibilityTimeout' as const] };
    const { Attributes } = await this.sqs.send(new this.sdk.GetQueueAttributesCommand(request));
    return Number(Attributes?.VisibilityTimeout ?? 30);
  }

  close(): void {
    this.sqs.destroy();
  }
}

/** A message that is not the app's has no job id, fails, and ends up in the dead-letter queue. */
function toDelivery({ Body = '', ReceiptHandle = '', Attributes }: Message): Delivery {
  const job = /^\{"job":"(\d{1,18})"\}$/.exec(Body)?.[1] ?? '';
  return { job, receipt: ReceiptHandle, receiveCount: Number(Attributes?.ApproximateReceiveCount ?? 1) };
}
