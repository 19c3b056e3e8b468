import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';

export interface SessionSecretProps {
  /** Key that encrypts the secret. `grantRead` on the secret also grants decryption with this key. */
  readonly encryptionKey: IKey;
}

/**
 * A random secret that signs session cookies. Servers read it with their role at startup. It appears in no template,
 * parameter or file.
 *
 *     const sessionSecret = new SessionSecret(this, 'SessionSecret', { encryptionKey: stateKey.key });
 *     new Box(this, 'Box', { secrets: [sessionSecret.secret], ... });
 *
 * To rotate it, run `aws secretsmanager put-secret-value` and restart the servers. That logs out every user, so there is
 * no rotation schedule.
 *
 * Fixed cost: $0.40 a month in phases 1 to 4, plus usage (us-east-1, prices of 2024-07; `npm run cost -- phase-4`).
 */
export class SessionSecret extends Construct {
  readonly secret: Secret;

  constructor(scope: Construct, id: string, props: SessionSecretProps) {
    super(scope, id);
    this.secret = new Secret(this, 'Secret', {
      description: 'Signs session cookies',
      encryptionKey: props.encryptionKey,
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    Validations.of(this.secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason: 'A rotation logs out every user, so it is a deliberate act and not scheduled.',
    });
  }
}
