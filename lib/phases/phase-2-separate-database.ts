import { CfnOutput } from 'aws-cdk-lib';
import { Dashboard, TextWidget } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { AlarmTopic } from '../monitoring/alarm-topic';
import { BoxMonitoring } from '../monitoring/box-monitoring';
import { DatabaseMonitoring } from '../monitoring/database-monitoring';
import { MonthlyBudget } from '../monitoring/monthly-budget';
import { Address } from '../tiers/address';
import { Backup } from '../tiers/backup';
import { Box } from '../tiers/box';
import { Database } from '../tiers/database';
import { Network } from '../tiers/network';
import { SessionSecret } from '../tiers/session-secret';
import { StateKey } from '../tiers/state-key';
import { maySeePhase } from './may-see-phase';
import { boxSize, shopOnBox } from './shop-on-box';
import type { ShopProps } from './shop-props';

/**
 * Phase 2, up to 10,000 users: the database moves from the box to RDS for PostgreSQL, so that app and database no longer
 * fight for one machine, and either grows without the other.
 *
 *     new SeparateDatabase(stack, 'Shop', { appBundle: 'dist/app' });
 *
 * From phase 1: the deploy makes the database and leaves the app on the box's own PostgreSQL. `systemctl start shop-move` on
 * the box then moves the data while the shop goes on, with writes paused for some seconds, and the app with it. The box and
 * its data volume stay as they were in phase 1: the volume is the way back.
 *
 * Billed on top of phase 1: the database instance, its storage and backups, and one more secret.
 *
 * What breaks next: the one app server. It is still a single point of failure, and now the first to run out of CPU.
 */
export class SeparateDatabase extends Construct {
  readonly network: Network;
  readonly stateKey: StateKey;
  readonly sessionSecret: SessionSecret;
  readonly database: Database;
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

    this.database = new Database(this, 'Database', { vpc, encryptionKey, databaseName: 'shop' });
    const { secret: databaseSecret } = this.database;

    this.box = new Box(this, 'Box', {
      vpc,
      encryptionKey,
      ...size,
      ...shopOnBox(props, {
        PHASE: '2',
        SESSION_SECRET_ARN: secret.secretArn,
        DATABASE_SECRET_ARN: databaseSecret.secretArn,
      }),
      secrets: [secret, databaseSecret],
      unprotectedBecause: 'From phase 2 on the box holds no state, and phase 3 ends it; its data volume stays.',
    });
    maySeePhase(this.box.role);
    this.box.addSetupDependency(this.database.allowFrom('Box', this.box, 'The app on the box'));

    this.address = new Address(this, 'Address', { ip: this.box.publicIp, ...props });

    this.backup = new Backup(this, 'Backup', { encryptionKey });
    this.backup.addSelection('DataVolume', this.box.dataVolumeArn);
    this.backup.addSelection('Database', this.database.instance.instanceArn);

    this.alarmTopic = new AlarmTopic(this, 'AlarmTopic', { encryptionKey, email: props.alarmEmail });
    const { topic } = this.alarmTopic;
    const boxMonitoring = new BoxMonitoring(this, 'BoxMonitoring', { box: this.box, topic, ...size });
    const databaseMonitoring = new DatabaseMonitoring(this, 'DatabaseMonitoring', { database: this.database, topic });
    new MonthlyBudget(this, 'MonthlyBudget', { usd: props.monthlyBudget, email: props.alarmEmail });

    new Dashboard(this, 'Dashboard', {
      widgets: [
        [new TextWidget({ markdown: NEXT_WALL, width: 24, height: 3 })],
        ...boxMonitoring.widgets,
        ...databaseMonitoring.widgets,
      ],
    });

    new CfnOutput(this, 'Phase', { value: '2' }).overrideLogicalId('Phase');
    new CfnOutput(this, 'Url', { value: this.address.url }).overrideLogicalId('Url');
    new CfnOutput(this, 'InstanceId', { value: this.box.instanceId }).overrideLogicalId('InstanceId');
    new CfnOutput(this, 'OpenSession', {
      value: `aws ssm start-session --target ${this.box.instanceId}`,
    }).overrideLogicalId('OpenSession');
    new CfnOutput(this, 'DatabaseEndpoint', {
      value: this.database.instance.instanceEndpoint.socketAddress,
    }).overrideLogicalId('DatabaseEndpoint');
  }
}

const NEXT_WALL = `# Phase 2: the database by itself
The next wall is whichever line below comes first to its alarm. **CPU or memory of the box**: the next size, while one
machine may be a single point of failure; else phase 3. **CPU or connections of the database**: a bigger class.`;
