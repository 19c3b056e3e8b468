import { CfnOutput } from 'aws-cdk-lib';
import { Dashboard, TextWidget } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { AlarmTopic } from '../monitoring/alarm-topic';
import { BoxMonitoring } from '../monitoring/box-monitoring';
import { MonthlyBudget } from '../monitoring/monthly-budget';
import { Address } from '../tiers/address';
import { Backup } from '../tiers/backup';
import { Box } from '../tiers/box';
import { Network } from '../tiers/network';
import { SessionSecret } from '../tiers/session-secret';
import { StateKey } from '../tiers/state-key';
import { maySeePhase } from './may-see-phase';
import { boxSize, shopOnBox } from './shop-on-box';
import type { ShopProps } from './shop-props';

/**
 * Phase 1, up to 1,000 users: app and PostgreSQL on one EC2 instance, with the data on a volume of its own. Grows by
 * getting a bigger machine: `size`.
 *
 *     new SingleBox(stack, 'Shop', { appBundle: 'dist/app', size: 'growth' });
 *
 * Billed: the instance, its root and data volumes, a public IPv4 address, snapshots, a KMS key, a secret, alarms, a
 * dashboard, flow logs, and traffic out.
 *
 * What breaks next: everything at once. One machine down is the shop down, and the ladder of sizes has a top.
 */
export class SingleBox extends Construct {
  readonly network: Network;
  readonly stateKey: StateKey;
  readonly sessionSecret: SessionSecret;
  readonly box: Box;
  readonly address: Address;
  readonly backup: Backup;
  readonly alarmTopic: AlarmTopic;

  constructor(scope: Construct, id: string, props: ShopProps) {
    super(scope, id);
    const size = boxSize(props);

    this.network = new Network(this, 'Network');
    const { vpc } = this.network;

    this.stateKey = new StateKey(this, 'StateKey');
    const encryptionKey = this.stateKey.key;

    this.sessionSecret = new SessionSecret(this, 'SessionSecret', { encryptionKey });
    const { secret } = this.sessionSecret;

    this.box = new Box(this, 'Box', {
      vpc,
      encryptionKey,
      ...size,
      ...shopOnBox(props, { PHASE: '1', SESSION_SECRET_ARN: secret.secretArn }),
      secrets: [secret],
    });
    maySeePhase(this.box.role);

    this.address = new Address(this, 'Address', { ip: this.box.publicIp, ...props });

    this.backup = new Backup(this, 'Backup', { encryptionKey });
    this.backup.addSelection('DataVolume', this.box.dataVolumeArn);

    this.alarmTopic = new AlarmTopic(this, 'AlarmTopic', { encryptionKey, email: props.alarmEmail });
    const { topic } = this.alarmTopic;
    const boxMonitoring = new BoxMonitoring(this, 'BoxMonitoring', { box: this.box, topic, ...size });
    new MonthlyBudget(this, 'MonthlyBudget', { usd: props.monthlyBudget, email: props.alarmEmail });

    new Dashboard(this, 'Dashboard', {
      widgets: [[new TextWidget({ markdown: NEXT_WALL, width: 24, height: 3 })], ...boxMonitoring.widgets],
    });

    new CfnOutput(this, 'Phase', { value: '1' }).overrideLogicalId('Phase');
    new CfnOutput(this, 'Url', { value: this.address.url }).overrideLogicalId('Url');
    new CfnOutput(this, 'InstanceId', { value: this.box.instanceId }).overrideLogicalId('InstanceId');
    new CfnOutput(this, 'OpenSession', {
      value: `aws ssm start-session --target ${this.box.instanceId}`,
    }).overrideLogicalId('OpenSession');
  }
}

const NEXT_WALL = `# Phase 1: one box
The next wall is whichever line below comes first to its alarm. **CPU or memory**: the next size (\`-c size=growth\`).
**Disk operations, or app and database fighting for the same CPU**: phase 2. **Any restart is an outage**: phase 3.`;
