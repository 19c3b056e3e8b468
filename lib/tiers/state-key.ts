import { RemovalPolicy } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';

/**
 * The customer-managed KMS key that encrypts all state: volumes, databases, secrets, backups, alarm topic. Rotated yearly.
 *
 *     const stateKey = new StateKey(this, 'StateKey');
 *     new Backup(this, 'Backup', { encryptionKey: stateKey.key });
 *
 * Create it with the first deploy: changing the key of a volume or database replaces the resource, and a snapshot under an
 * AWS-managed key cannot be shared with another account. It is retained when its stack is deleted, because backups are
 * unreadable without it.
 *
 * Fixed cost: $1.00 a month in phases 1 to 4, plus usage (us-east-1, prices of 2024-07; `npm run cost -- phase-4`).
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
