import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';

export interface SessionSecretProps {
  /** Key that encrypts the secret. Who reads the secret also gets to decrypt with it. */
  readonly encryptionKey: IKey;
}

/**
 * The random secret that signs session cookies. Servers read it by their role when they start; it appears in no
 * template, parameter or file.
 *
 *     const sessionSecret = new SessionSecret(this, 'SessionSecret', { encryptionKey: stateKey.key });
 *     new Box(this, 'Box', { secrets: [sessionSecret.secret], ... });
 *
 * To change it (which logs every visitor out): `aws secretsmanager put-secret-value`, then restart the servers.
 */
export class SessionSecret extends Construct {
  readonly secret: Secret;

  constructor(scope: Construct, id: string, props: SessionSecretProps) {
    super(scope, id);
    this.secret = new Secret(this, 'Secret', {
      description: 'Signs the session cookies',
      encryptionKey: props.encryptionKey,
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    Validations.of(this.secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason: 'A rotation logs every visitor out, so it is a deliberate act and not a schedule.',
    });
  }
}
