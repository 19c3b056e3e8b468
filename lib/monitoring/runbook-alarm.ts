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

  /** Threshold at or above which the alarm triggers. Exactly one of `atLeast` and `atMost` is required. */
  readonly atLeast?: number;

  /** Threshold at or below which the alarm triggers. */
  readonly atMost?: number;

  /** How long the metric must breach the threshold, a multiple of `period`. */
  readonly duration: Duration;

  /**
   * Period of the metric.
   *
   * @default Duration.minutes(5)
   */
  readonly period?: Duration;

  /** Heading in docs/runbook.md. */
  readonly heading: string;

  /** Meaning of the alarm for users, in one or two sentences. */
  readonly meaning: string;

  /** First step of the response, in one or two sentences. */
  readonly firstStep: string;

  /**
   * Whether missing data counts as breaching. Set it for health metrics, which a dead instance does not report.
   *
   * @default false
   */
  readonly treatMissingDataAsBreaching?: boolean;
}

/** A CloudWatch alarm whose description contains its meaning, the first step and a link to the runbook. */
export class RunbookAlarm extends Construct {
  readonly alarm: Alarm;

  constructor(scope: Construct, id: string, props: RunbookAlarmProps) {
    super(scope, id);
    const { atLeast, atMost, period = Duration.minutes(5) } = props;
    const threshold = atLeast ?? atMost;
    if (threshold === undefined || (atLeast !== undefined && atMost !== undefined)) {
      throw new Error(
        `RunbookAlarm ${id}: exactly one of atLeast and atMost must be set, got atLeast ${atLeast} and atMost ${atMost}.`,
      );
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

/** Returns the link to a heading of the runbook, with the anchor that Markdown renderers generate. */
export function runbookLink(heading: string): string {
  return `docs/runbook.md#${heading
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-')}`;
}
