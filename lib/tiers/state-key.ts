import { RemovalPolicy } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';

/**
 * The customer-managed KMS key under which all state is encrypted: volumes, databases, secrets, backups, alarm topic.
 *
 *     const stateKey = new StateKey(this, 'StateKey');
 *     new Backup(this, 'Backup', { encryptionKey: stateKey.key });
 *
 * It is there from the first day because the key of a volume or a database cannot be changed afterwards without
 * replacing it, and because a snapshot under an AWS-managed key can neither be shared with another account nor be copied
 * from there. Rotated yearly. It outlives its stack, since every backup would be unreadable without it.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ShareSnapshot.html
 */
export class StateKey extends Construct {
  readonly key: Key;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.key = new Key(this, 'Key', {
      description: 'Encrypts volumes, databases, secrets and backups',
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
  }
}
