import { Aws } from 'aws-cdk-lib';
import { AlarmRule, AlarmState, CompositeAlarm, type IAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { runbookLink } from './runbook-alarm';

export interface PagerProps {
  readonly topic: ITopic;

  /** Alarms each of which means that visitors suffer now. */
  readonly alarms: readonly IAlarm[];
}

/**
 * One alarm that is worth waking somebody for: it goes off when any of those that mean that visitors suffer does, and stays
 * one alarm when several do. The others can wait for the morning.
 */
export class Pager extends Construct {
  readonly alarm: CompositeAlarm;

  constructor(scope: Construct, id: string, { topic, alarms }: PagerProps) {
    super(scope, id);
    this.alarm = new CompositeAlarm(this, 'Alarm', {
      // CDK would name it after the construct path, in which the stack's id stands.
      compositeAlarmName: `${Aws.STACK_NAME}-page`,
      alarmDescription:
        'Visitors get errors or no answer. Open the dashboard and follow the alarm that went off with this one. ' +
        `Runbook: ${runbookLink('Visitors suffer')}`,
      alarmRule: AlarmRule.anyOf(...alarms.map((alarm) => AlarmRule.fromAlarm(alarm, AlarmState.ALARM))),
    });
    this.alarm.addAlarmAction(new SnsAction(topic));
    this.alarm.addOkAction(new SnsAction(topic));
  }
}
