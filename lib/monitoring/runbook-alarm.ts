import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type MathExpression,
  type Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';

export interface RunbookAlarmProps {
  readonly topic: ITopic;
  readonly metric: Metric | MathExpression;

  /** The alarm goes off when the metric is at or above this. Give exactly one of `atLeast` and `atMost`. */
  readonly atLeast?: number;

  /** The alarm goes off when the metric is at or below this. */
  readonly atMost?: number;

  /** For how long, in whole multiples of `period`. */
  readonly duration: Duration;

  /**
   * Length of one measurement.
   *
   * @default Duration.minutes(5)
   */
  readonly period?: Duration;

  /** Heading in docs/runbook.md. */
  readonly heading: string;

  /** What it means for visitors, and what to look at first. One sentence each. */
  readonly meaning: string;
  readonly firstStep: string;

  /**
   * Whether no data means trouble. It does for the health of a machine, which says nothing when it is dead.
   *
   * @default false
   */
  readonly treatMissingDataAsBreaching?: boolean;
}

/** An alarm whose description says what it means, what to do first, and where the runbook goes on. */
export class RunbookAlarm extends Construct {
  readonly alarm: Alarm;

  constructor(scope: Construct, id: string, props: RunbookAlarmProps) {
    super(scope, id);
    const { atLeast, atMost, period = Duration.minutes(5) } = props;
    const threshold = atLeast ?? atMost;
    if (threshold === undefined || (atLeast !== undefined && atMost !== undefined)) {
      throw new Error(`RunbookAlarm ${id}: give atLeast (${atLeast}) or atMost (${atMost})`);
    }

    this.alarm = new Alarm(this, 'Alarm', {
      alarmDescription: `${props.meaning} ${props.firstStep} Runbook: ${runbookLink(props.heading)}`,
      metric: props.metric.with({ period }),
      threshold,
      comparisonOperator:
        atLeast === undefined
          ? ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD
          : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: props.duration.toSeconds() / period.toSeconds(),
      treatMissingData: props.treatMissingDataAsBreaching ? TreatMissingData.BREACHING : TreatMissingData.MISSING,
    });
    this.alarm.addAlarmAction(new SnsAction(props.topic));
    this.alarm.addOkAction(new SnsAction(props.topic));
  }
}

/** Link to a heading, with the anchor that Markdown renderers give it. */
export function runbookLink(heading: string): string {
  return `docs/runbook.md#${heading
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-')}`;
}
