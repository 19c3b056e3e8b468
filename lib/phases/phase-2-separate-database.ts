import { Construct } from 'constructs';
import type { AlarmTopic } from '../monitoring/alarm-topic';
import { Address } from '../tiers/address';
import { Backup } from '../tiers/backup';
import { Box } from '../tiers/box';
import { Database } from '../tiers/database';
import { Network } from '../tiers/network';
import { SessionSecret } from '../tiers/session-secret';
import { StateKey } from '../tiers/state-key';
import { addOperations } from './operations/separate-database';
import { boxSize, shopOnBox } from './shop-on-box';
import type { ShopProps } from './shop-props';
import { grantDescribeStack } from './shop-stack';

/**
 * Phase 2, up to 10,000 users: the database moves from the instance to RDS for PostgreSQL. App and database no longer compete
 * for one machine, and each scales without the other.
 *
 *     new SeparateDatabase(stack, 'Shop', { appBundle: 'dist/app' });
 *
 * From phase 1: the deploy creates the database and leaves the app on the instance's own PostgreSQL. `systemctl start shop-move`
 * on the instance then moves the data and the app. The shop keeps serving, with writes paused for a few seconds. Instance and
 * data volume stay as they were in phase 1, so the volume is the way back.
 *
 * Billed on top of phase 1: the database instance, its storage and backups, and one more secret.
 *
 * Fixed cost: $137 a month, plus usage (us-east-1, prices of 2024-07 to 2026-07; `npm run cost -- phase-2`).
 *
 * What breaks next: the one app server is still a single point of failure, and now the first to run out of CPU.
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

    this.network = new Network(this, 'Network');
    this.stateKey = new StateKey(this, 'StateKey');
    const { vpc } = this.network;
    const encryptionKey = this.stateKey.key;

    this.sessionSecret = new SessionSecret(this, 'SessionSecret', { encryptionKey });
    const { secret } = this.sessionSecret;

    this.database = new Database(this, 'Database', { vpc, encryptionKey, databaseName: 'shop' });
    const { secret: databaseSecret } = this.database;

    this.box = new Box(this, 'Box', {
      vpc,
      encryptionKey,
      ...boxSize(props),
      ...shopOnBox(props, {
        PHASE: '2',
        SESSION_SECRET_ARN: secret.secretArn,
        DATABASE_SECRET_ARN: databaseSecret.secretArn,
      }),
      secrets: [secret, databaseSecret],
      unprotectedBecause:
        'From phase 2 on, the instance holds no state. Phase 3 terminates it and retains its data volume.',
    });
    grantDescribeStack(this.box.role);
    this.box.addSetupDependency(this.database.allowFrom('Box', this.box, 'The app on the instance'));

    this.address = new Address(this, 'Address', { ip: this.box.publicIp, ...props });

    this.backup = new Backup(this, 'Backup', { encryptionKey });
    this.backup.addSelection('DataVolume', this.box.dataVolumeArn);
    this.backup.addSelection('Database', this.database.instance.instanceArn);

    const { alarmTopic } = addOperations(this, props);
    this.alarmTopic = alarmTopic;
  }
}
