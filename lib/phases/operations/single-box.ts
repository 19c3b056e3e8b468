import { Dashboard, TextWidget } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { AlarmTopic } from '../../monitoring/alarm-topic';
import { BoxMonitoring } from '../../monitoring/box-monitoring';
import { MonthlyBudget } from '../../monitoring/monthly-budget';
import type { Address } from '../../tiers/address';
import type { Box } from '../../tiers/box';
import type { StateKey } from '../../tiers/state-key';
import { boxSize } from '../shop-on-box';
import type { ShopProps } from '../shop-props';
import { addOutputs, boxSession } from './outputs';

/** Phase 1, as far as its operations need it. */
export interface OperatedBox extends Construct {
  readonly stateKey: StateKey;
  readonly box: Box;
  readonly address: Address;
}

/** Adds alarms, budget, dashboard and stack outputs to phase 1, as its direct children. */
export function addOperations(phase: OperatedBox, props: ShopProps): { alarmTopic: AlarmTopic } {
  const { box, address } = phase;

  const alarmTopic = new AlarmTopic(phase, 'AlarmTopic', {
    encryptionKey: phase.stateKey.key,
    email: props.alarmEmail,
  });
  const boxMonitoring = new BoxMonitoring(phase, 'BoxMonitoring', {
    box,
    topic: alarmTopic.topic,
    ...boxSize(props),
  });
  new MonthlyBudget(phase, 'MonthlyBudget', { usd: props.monthlyBudget, email: props.alarmEmail });

  new Dashboard(phase, 'Dashboard', {
    widgets: [[new TextWidget({ markdown: NEXT_BOTTLENECK, width: 24, height: 3 })], ...boxMonitoring.widgets],
  });

  addOutputs(phase, {
    Phase: '1',
    Url: address.url,
    InstanceId: box.instanceId,
    OpenSession: boxSession(box),
  });
  return { alarmTopic };
}

const NEXT_BOTTLENECK = `# Phase 1: a single instance
The first alarm below shows the next bottleneck. **CPU or memory**: deploy the next size (\`-c size=growth\`).
**Disk operations, or app and database competing for CPU**: phase 2. **Any restart is an outage**: phase 3.`;
