import { Duration } from 'aws-cdk-lib';
import { GraphWidget, type IWidget } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { Fleet } from '../tiers/fleet';
import type { JobQueue } from '../tiers/job-queue';
import { RunbookAlarm } from './runbook-alarm';

export interface QueueMonitoringProps {
  readonly jobs: JobQueue;
  readonly workers: Fleet;
  readonly topic: ITopic;
}

/** Alarms and dashboard row of background jobs and their workers. */
export class QueueMonitoring extends Construct {
  readonly widgets: IWidget[][];

  constructor(scope: Construct, id: string, { jobs, workers, topic }: QueueMonitoringProps) {
    super(scope, id);
    new RunbookAlarm(this, 'JobsLate', {
      topic,
      metric: jobs.metricOldestAge(),
      atLeast: 900,
      duration: Duration.minutes(10),
      heading: 'Jobs delayed',
      meaning: 'A job has waited for 15 minutes. Orders are placed, but their receipts are late.',
      firstStep: 'Check whether workers are running, and their logs.',
    });
    new RunbookAlarm(this, 'DeadLetters', {
      topic,
      metric: jobs.metricDeadLetters(),
      atLeast: 1,
      duration: Duration.minutes(5),
      heading: 'Jobs in the dead-letter queue',
      meaning: 'A job failed five times and moved to the dead-letter queue. It is kept but not retried.',
      firstStep: 'Read the message in the dead-letter queue, fix the cause, then redrive it.',
    });
    this.widgets = [
      [
        new GraphWidget({ ...ROW, title: 'Jobs: waiting', left: [jobs.metricBacklog()] }),
        new GraphWidget({ ...ROW, title: 'Jobs: age of the oldest (s)', left: [jobs.metricOldestAge()] }),
        new GraphWidget({ ...ROW, title: 'Jobs: dead-letter queue', left: [jobs.metricDeadLetters()] }),
        new GraphWidget({
          ...ROW,
          title: 'Workers',
          left: [workers.metricGroup('GroupInServiceInstances', 'Average')],
          right: [workers.metric('CPUUtilization', 'Average')],
        }),
      ],
    ];
  }
}

const ROW = { width: 6, height: 6 };
