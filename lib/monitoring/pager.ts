import { Aws } from 'aws-cdk-lib';
import { AlarmRule, AlarmState, CompositeAlarm, type IAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { runbookLink } from './runbook-alarm';

export interface PagerProps {
  readonly topic: ITopic;

  /** User-facing alarms. */
  readonly alarms: readonly IAlarm[];
}

/**
 * A composite alarm to page the on-call engineer: it is in ALARM while any user-facing alarm is, and notifies once when
 * several are. All other alarms can wait for working hours.
 */
export class Pager extends Construct {
  readonly alarm: CompositeAlarm;

  constructor(scope: Construct, id: string, { topic, alarms }: PagerProps) {
    super(scope, id);
    this.alarm = new CompositeAlarm(this, 'Alarm', {
      // CDK's default name contains the construct path and so the stack's id.
      compositeAlarmName: `${Aws.STACK_NAME}-page`,
      alarmDescription:
        'Users get errors or no response. Open the dashboard and follow the runbook of the alarm that triggered this one. ' +
        `Runbook: ${runbookLink('User-facing outage')}`,
      alarmRule: AlarmRule.anyOf(...alarms.map((alarm) => AlarmRule.fromAlarm(alarm, AlarmState.ALARM))),
    });
    this.alarm.addAlarmAction(new SnsAction(topic));
    this.alarm.addOkAction(new SnsAction(topic));
  }
}
