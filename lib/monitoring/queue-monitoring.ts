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

/** Alarms on background jobs and their workers, and their row of a dashboard. */
export class QueueMonitoring extends Construct {
  readonly widgets: IWidget[][];

  constructor(scope: Construct, id: string, { jobs, workers, topic }: QueueMonitoringProps) {
    super(scope, id);
    new RunbookAlarm(this, 'JobsLate', {
      topic,
      metric: jobs.metricOldestAge(),
      atLeast: 900,
      duration: Duration.minutes(10),
      heading: 'Jobs late',
      meaning: 'A job has waited for a quarter of an hour: orders are placed, and their receipts do not come.',
      firstStep: 'See whether workers run, and what they log.',
    });
    new RunbookAlarm(this, 'DeadLetters', {
      topic,
      metric: jobs.metricDeadLetters(),
      atLeast: 1,
      duration: Duration.minutes(5),
      heading: 'Jobs given up',
      meaning: 'A job failed five times and was put aside: it is not lost, and nobody will try it again.',
      firstStep: 'Read the message in the dead-letter queue, mend the cause, then redrive it.',
    });
    this.widgets = [
      [
        new GraphWidget({ ...ROW, title: 'Jobs: waiting', left: [jobs.metricBacklog()] }),
        new GraphWidget({ ...ROW, title: 'Jobs: age of the oldest (s)', left: [jobs.metricOldestAge()] }),
        new GraphWidget({ ...ROW, title: 'Jobs: given up', left: [jobs.metricDeadLetters()] }),
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
