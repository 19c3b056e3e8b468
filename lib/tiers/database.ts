import { Aws, type CfnResource, Duration, RemovalPolicy, Size, Tags, Validations } from 'aws-cdk-lib';
import type { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import {
  CfnSecurityGroupEgress,
  CfnSecurityGroupIngress,
  type IConnectable,
  InstanceType,
  type IVpc,
  SecurityGroup,
  SubnetType,
} from 'aws-cdk-lib/aws-ec2';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import {
  type CfnDBInstance,
  Credentials,
  DatabaseInstance,
  DatabaseInstanceEngine,
  DatabaseSecret,
  ParameterGroup,
  PostgresEngineVersion,
  StorageType,
} from 'aws-cdk-lib/aws-rds';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct, type IDependable } from 'constructs';
import { POSTGRES_MAJOR, RDS_BYTES_PER_CONNECTION, RDS_MAX_CONNECTIONS } from '../constants';

export interface DatabaseProps {
  /** VPC with isolated subnets in at least two availability zones. */
  readonly vpc: IVpc;

  /** KMS key for storage, secret, backups and Performance Insights. Changing it replaces the database. */
  readonly encryptionKey: IKey;

  /** Name of the initial database and of its owner: 1 to 16 lowercase letters and digits. Changing it replaces the database. */
  readonly databaseName: string;

  /**
   * Instance class. A change restarts the database: a few minutes of downtime.
   *
   * @default db.t4g.medium (2 vCPU, 4 GiB)
   */
  readonly instanceType?: InstanceType;

  /**
   * Initial storage, at least 20 GiB. Storage autoscaling grows it up to `maxAllocatedStorage`. It cannot shrink, and RDS
   * allows one change every 6 hours.
   *
   * @default Size.gibibytes(100)
   */
  readonly allocatedStorage?: Size;

  /**
   * Limit of storage autoscaling, at least 10% above `allocatedStorage`.
   *
   * @default Size.gibibytes(1000)
   */
  readonly maxAllocatedStorage?: Size;

  /**
   * Multi-AZ deployment: a standby in another availability zone, with failover in about a minute. It doubles the price, serves
   * no reads, and can be enabled on a running database.
   *
   * @default false
   */
  readonly multiAz?: boolean;

  /**
   * Retention of automated backups, the window of point-in-time recovery, in whole days: 1 to 35.
   *
   * @default Duration.days(7)
   */
  readonly backupRetention?: Duration;
}

/**
 * RDS for PostgreSQL: encrypted, in isolated subnets, TLS only, protected from deletion, and retained together with its
 * secret when the stack is deleted.
 *
 *     const database = new Database(this, 'Database', {
 *       vpc: network.vpc,
 *       encryptionKey: stateKey.key,
 *       databaseName: 'shop',
 *     });
 *     database.allowFrom('Box', box, 'The app');
 *
 * `secret` contains `{username, password, host, port, dbname}` as JSON. Clients read it with their role. RDS applies minor
 * versions, so the template names the major version only and minor upgrades cause no drift.
 *
 * The defaults of CDK's `DatabaseInstance` are unencrypted and unprotected, and delete the secret while they snapshot the
 * data. Changing encryption, key, database name or owner replaces the database.
 *
 * Fixed cost: $59 a month in phase 2, $118 in phases 3 and 4, plus usage (us-east-1, prices of 2024-07 to 2025-12;
 * `npm run cost -- phase-4`).
 */
export class Database extends Construct {
  readonly instance: DatabaseInstance;
  readonly instanceType: InstanceType;
  readonly secret: ISecret;
  readonly securityGroup: SecurityGroup;

  constructor(scope: Construct, id: string, props: DatabaseProps) {
    super(scope, id);
    validate(props);

    this.instanceType = props.instanceType ?? new InstanceType('t4g.medium');
    this.securityGroup = new SecurityGroup(this, 'SecurityGroup', {
      vpc: props.vpc,
      description: 'The database: clients in, nothing out',
      allowAllOutbound: false,
    });
    this.instance = this.makeInstance(props, this.makeSecret(props));
    // The attached secret: resources that reference it depend on the attachment, which adds host and port.
    this.secret = this.instance.secret as ISecret;
  }

  /**
   * Allows a client to connect. The ids of rules from `connections.allowFrom` contain the stack's id: renaming the stack would
   * create the rules again, and EC2 rejects duplicates.
   *
   * @param id part of the construct ids of the two rules
   * @returns dependency of the client: it cannot connect before the rules exist
   */
  allowFrom(id: string, client: IConnectable, description: string): IDependable {
    const rules = new Construct(this, `From${id}`);
    const clientGroupId = client.connections.securityGroups[0]?.securityGroupId;
    if (!clientGroupId) throw new Error(`Database: client ${id} must have a security group, got none.`);
    const { securityGroupId } = this.securityGroup;
    const port = { ipProtocol: 'tcp', fromPort: 5432, toPort: 5432, description };
    new CfnSecurityGroupIngress(rules, 'Ingress', {
      ...port,
      groupId: securityGroupId,
      sourceSecurityGroupId: clientGroupId,
    });
    new CfnSecurityGroupEgress(rules, 'Egress', {
      ...port,
      groupId: clientGroupId,
      destinationSecurityGroupId: securityGroupId,
    });
    return rules;
  }

  /** Subnet group of the database. Use it for restored copies as well. */
  get subnetGroupName(): string {
    return (this.instance.node.defaultChild as CfnDBInstance).dbSubnetGroupName as string;
  }

  /** Returns an `AWS/RDS` metric of the database, such as `FreeStorageSpace`. */
  metric(metricName: string, statistic: string): Metric {
    return this.instance.metric(metricName, { statistic });
  }

  /**
   * Default `max_connections` of the instance class: memory in bytes / 9531392, at most 5000. The actual value is slightly
   * lower, because `DBInstanceClassMemory` excludes the memory of the operating system.
   *
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html#RDS_Limits.MaxConnections
   */
  get maxConnections(): number {
    const memoryBytes = memoryGib(this.instanceType) * 1024 ** 3;
    return Math.min(RDS_MAX_CONNECTIONS, Math.floor(memoryBytes / RDS_BYTES_PER_CONNECTION));
  }

  private makeSecret(props: DatabaseProps): DatabaseSecret {
    const secret = new DatabaseSecret(this, 'Secret', {
      username: props.databaseName,
      dbname: props.databaseName,
      encryptionKey: props.encryptionKey,
    });
    secret.applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'Clients read the secret at startup, so a rotation must also restart them. Rotation would also need a Lambda ' +
        'function with egress from the isolated subnets.',
    });
    return secret;
  }

  private makeInstance(props: DatabaseProps, secret: DatabaseSecret): DatabaseInstance {
    const major = String(POSTGRES_MAJOR);
    const engine = DatabaseInstanceEngine.postgres({ version: PostgresEngineVersion.of(major, major) });
    const instance = new DatabaseInstance(this, 'Instance', {
      engine,
      instanceType: this.instanceType,
      vpc: props.vpc,
      vpcSubnets: { subnetType: SubnetType.PRIVATE_ISOLATED },
      securityGroups: [this.securityGroup],
      credentials: Credentials.fromSecret(secret, props.databaseName),
      databaseName: props.databaseName,
      parameterGroup: new ParameterGroup(this, 'Parameters', {
        engine,
        description: 'TLS only, slow statements logged',
        parameters: { 'rds.force_ssl': '1', log_min_duration_statement: '1000' },
      }),
      ...(props.multiAz ? { multiAz: true } : {}),
      storageType: StorageType.GP3,
      allocatedStorage: (props.allocatedStorage ?? Size.gibibytes(100)).toGibibytes(),
      maxAllocatedStorage: (props.maxAllocatedStorage ?? Size.gibibytes(1000)).toGibibytes(),
      storageEncrypted: true,
      storageEncryptionKey: props.encryptionKey,
      backupRetention: props.backupRetention ?? Duration.days(7),
      // After the daily AWS Backup job, which cannot start within the hour before either window.
      preferredBackupWindow: '05:30-06:00',
      preferredMaintenanceWindow: 'sun:06:30-sun:07:00',
      copyTagsToSnapshot: true,
      deleteAutomatedBackups: false,
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
      autoMinorVersionUpgrade: true,
      allowMajorVersionUpgrade: false,
      enablePerformanceInsights: true,
      performanceInsightEncryptionKey: props.encryptionKey,
      cloudwatchLogsExports: ['postgresql', 'upgrade'],
    });
    Tags.of(instance).add('Name', `${Aws.STACK_NAME}-database`);
    // cfn-lint reads a major version as the retired 17.0. RDS resolves it to the default minor version.
    (instance.node.defaultChild as CfnResource).addMetadata('cfn-lint', { config: { ignore_checks: ['W3691'] } });

    if (!props.multiAz) {
      Validations.of(instance).acknowledge({
        id: 'AwsSolutions-RDS3',
        reason:
          'Single-AZ in this phase: a standby doubles the price of the database. Phases with several servers enable it.',
      });
    }
    Validations.of(instance).acknowledge({
      id: 'AwsSolutions-RDS11',
      reason: 'Security groups let only the app reach the database. A non-default port adds no protection.',
    });
    return instance;
  }
}

function validate(props: DatabaseProps): void {
  if (!/^[a-z][a-z0-9]{0,15}$/.test(props.databaseName)) {
    throw new Error(
      `Database: databaseName must be 1 to 16 lowercase letters and digits, got "${props.databaseName}".`,
    );
  }
  const allocatedStorage = (props.allocatedStorage ?? Size.gibibytes(100)).toGibibytes();
  const maxAllocatedStorage = (props.maxAllocatedStorage ?? Size.gibibytes(1000)).toGibibytes();
  if (allocatedStorage < 20 || allocatedStorage > 65_536) {
    throw new Error(`Database: allocatedStorage must be from 20 to 65536 GiB, got ${allocatedStorage} GiB.`);
  }
  if (maxAllocatedStorage < allocatedStorage * 1.1 || maxAllocatedStorage > 65_536) {
    throw new Error(
      'Database: maxAllocatedStorage must be at least 10% above allocatedStorage and at most 65536 GiB, ' +
        `got ${maxAllocatedStorage} GiB.`,
    );
  }
  const days = (props.backupRetention ?? Duration.days(7)).toDays();
  if (days < 1 || days > 35) {
    throw new Error(`Database: backupRetention must be from 1 to 35 days, got ${days} days.`);
  }
}

/** Memory of an instance class: an `xlarge` has 16 GiB in families t and m, 32 in r, 64 in x. Each size doubles it. */
function memoryGib(instanceType: InstanceType): number {
  const [family = '', size = ''] = instanceType.toString().split('.');
  const xlarge = { t: 16, m: 16, r: 32, x: 64 }[family.charAt(0)];
  const factors: Record<string, number> = { micro: 1 / 16, small: 1 / 8, medium: 1 / 4, large: 1 / 2, xlarge: 1 };
  const factor = factors[size] ?? Number(/^(\d+)xlarge$/.exec(size)?.[1]);
  if (!xlarge || !factor) {
    throw new Error(`Database: instanceType must be of family t, m, r or x, got ${instanceType.toString()}.`);
  }
  return xlarge * factor;
}
