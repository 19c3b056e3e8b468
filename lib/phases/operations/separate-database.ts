import { Dashboard, TextWidget } from 'aws-cdk-lib/aws-cloudwatch';
import { AlarmTopic } from '../../monitoring/alarm-topic';
import { BoxMonitoring } from '../../monitoring/box-monitoring';
import { DatabaseMonitoring } from '../../monitoring/database-monitoring';
import { MonthlyBudget } from '../../monitoring/monthly-budget';
import type { Database } from '../../tiers/database';
import { boxSize } from '../shop-on-box';
import type { ShopProps } from '../shop-props';
import { addOutputs, boxSession } from './outputs';
import type { OperatedBox } from './single-box';

/** Phase 2, as far as its operations need it. */
export interface OperatedBoxWithDatabase extends OperatedBox {
  readonly database: Database;
}

/** Adds alarms, budget, dashboard and stack outputs to phase 2, as its direct children. */
export function addOperations(phase: OperatedBoxWithDatabase, props: ShopProps): { alarmTopic: AlarmTopic } {
  const { box, database, address } = phase;

  const alarmTopic = new AlarmTopic(phase, 'AlarmTopic', {
    encryptionKey: phase.stateKey.key,
    email: props.alarmEmail,
  });
  const { topic } = alarmTopic;
  const boxMonitoring = new BoxMonitoring(phase, 'BoxMonitoring', { box, topic, ...boxSize(props) });
  const databaseMonitoring = new DatabaseMonitoring(phase, 'DatabaseMonitoring', { database, topic });
  new MonthlyBudget(phase, 'MonthlyBudget', { usd: props.monthlyBudget, email: props.alarmEmail });

  new Dashboard(phase, 'Dashboard', {
    widgets: [
      [new TextWidget({ markdown: NEXT_BOTTLENECK, width: 24, height: 3 })],
      ...boxMonitoring.widgets,
      ...databaseMonitoring.widgets,
    ],
  });

  addOutputs(phase, {
    Phase: '2',
    Url: address.url,
    InstanceId: box.instanceId,
    OpenSession: boxSession(box),
    DatabaseEndpoint: database.instance.instanceEndpoint.socketAddress,
  });
  return { alarmTopic };
}

const NEXT_BOTTLENECK = `# Phase 2: a separate database
The first alarm below shows the next bottleneck. **CPU or memory of the instance**: deploy the next size while a single point
of failure is acceptable, else phase 3. **CPU or connections of the database**: a larger instance class.`;
