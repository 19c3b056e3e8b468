import { Construct } from 'constructs';
import type { AlarmTopic } from '../monitoring/alarm-topic';
import { Address } from '../tiers/address';
import { Backup } from '../tiers/backup';
import { Box } from '../tiers/box';
import { Network } from '../tiers/network';
import { SessionSecret } from '../tiers/session-secret';
import { StateKey } from '../tiers/state-key';
import { addOperations } from './operations/single-box';
import { boxSize, shopOnBox } from './shop-on-box';
import type { ShopProps } from './shop-props';
import { grantDescribeStack } from './shop-stack';

/**
 * Phase 1, up to 1,000 users: app and PostgreSQL on one EC2 instance, with the data on a separate volume. Scales up by
 * instance size: `size`.
 *
 *     new SingleBox(stack, 'Shop', { appBundle: 'dist/app', size: 'growth' });
 *
 * Billed: the instance, its root and data volumes, a public IPv4 address, snapshots, a KMS key, a secret, alarms, a
 * dashboard, VPC flow logs, and data transfer out.
 *
 * Fixed cost: $77 a month, plus usage (us-east-1, prices of 2024-07 to 2026-07; `npm run cost -- phase-1`).
 *
 * What breaks next: the instance is a single point of failure, and the largest size is a ceiling.
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

    this.network = new Network(this, 'Network');
    this.stateKey = new StateKey(this, 'StateKey');
    const { vpc } = this.network;
    const encryptionKey = this.stateKey.key;

    this.sessionSecret = new SessionSecret(this, 'SessionSecret', { encryptionKey });
    const { secret } = this.sessionSecret;

    this.box = new Box(this, 'Box', {
      vpc,
      encryptionKey,
      ...boxSize(props),
      ...shopOnBox(props, { PHASE: '1', SESSION_SECRET_ARN: secret.secretArn }),
      secrets: [secret],
    });
    grantDescribeStack(this.box.role);

    this.address = new Address(this, 'Address', { ip: this.box.publicIp, ...props });

    this.backup = new Backup(this, 'Backup', { encryptionKey });
    this.backup.addSelection('DataVolume', this.box.dataVolumeArn);

    const { alarmTopic } = addOperations(this, props);
    this.alarmTopic = alarmTopic;
  }
}
