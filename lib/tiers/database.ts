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
import { POSTGRES_MAJOR } from '../constants';

export interface DatabaseProps {
  /** VPC with isolated subnets in at least two zones. */
  readonly vpc: IVpc;

  /** Key that encrypts storage, secret, backups and Performance Insights. Another key later means another database. */
  readonly encryptionKey: IKey;

  /** Name of the first database and of its owner. Neither can change later. Letters and digits. */
  readonly databaseName: string;

  /**
   * A change restarts the database: a few minutes of interruption.
   *
   * @default db.t4g.medium (2 vCPU, 4 GiB)
   */
  readonly instanceType?: InstanceType;

  /**
   * Storage to begin with; 20 GiB at least. It grows by itself up to `maxAllocatedStorage`, never shrinks, and takes the next
   * change only 6 hours after the last.
   *
   * @default Size.gibibytes(100)
   */
  readonly allocatedStorage?: Size;

  /**
   * How far the storage may grow by itself.
   *
   * @default Size.gibibytes(1000)
   */
  readonly maxAllocatedStorage?: Size;

  /**
   * Whether a standby in another zone takes over when the primary fails, in about a minute. It doubles the price, serves no
   * reads, and can be switched on while the database runs.
   *
   * @default false
   */
  readonly multiAz?: boolean;

  /**
   * How far back the database can be restored to any second, in whole days: 1 to 35.
   *
   * @default Duration.days(7)
   */
  readonly backupRetention?: Duration;
}

/**
 * PostgreSQL on RDS: encrypted, without a way in from the internet, TLS only, protected from deletion, kept with its
 * secret when its stack goes.
 *
 *     const database = new Database(this, 'Database', {
 *       vpc: network.vpc,
 *       encryptionKey: stateKey.key,
 *       databaseName: 'shop',
 *     });
 *     database.allowFrom('Box', box, 'The app');
 *
 * `secret` holds `{username, password, host, port, dbname}` as JSON; clients read it by their role. Minor versions are
 * updated by RDS, so the template names the major one alone, and an update is no drift.
 *
 * `DatabaseInstance` by itself is unencrypted, unprotected, and deletes its secret while it snapshots its data. None of
 * encryption, key, name and owner can be changed later without replacing the database, hence all are set here.
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
    // The instance's own view of the secret: whoever reads it waits until host and port are in it.
    this.secret = this.instance.secret as ISecret;
  }

  /**
   * Lets a client connect.
   *
   * (`connections.allowFrom` would name the two rules after the stack's id: in a stack with another id the rules of a
   * running system would be made a second time, and EC2 refuses duplicates.)
   *
   * @param id what the client is called in the ids of the two rules
   * @returns what to wait for before connecting
   */
  allowFrom(id: string, client: IConnectable, description: string): IDependable {
    const rules = new Construct(this, `From${id}`);
    const clientGroupId = client.connections.securityGroups[0]?.securityGroupId;
    if (!clientGroupId) throw new Error(`Database: the client ${id} has no security group`);
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

  /** Subnet group that the database is in, and its restored copies should be. */
  get subnetGroupName(): string {
    return (this.instance.node.defaultChild as CfnDBInstance).dbSubnetGroupName as string;
  }

  /** A metric of `AWS/RDS` about this database, such as `FreeStorageSpace`. */
  metric(metricName: string, statistic: string): Metric {
    return this.instance.metric(metricName, { statistic });
  }

  /**
   * What RDS sets `max_connections` to for this class: memory in bytes / 9531392, at most 5000. A little less in truth,
   * because the operating system takes its share first.
   *
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html#RDS_Limits.MaxConnections
   */
  get maxConnections(): number {
    return Math.min(5000, Math.floor((memoryGib(this.instanceType) * 1024 ** 3) / 9_531_392));
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
        'Clients read the secret when they start: a rotation must restart them in the same move. It would also need a ' +
        'Lambda function with a way out of the isolated subnets.',
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
      // Later than a nightly AWS Backup job, which may not start within the hour before either window.
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
    // cfn-lint takes the major version alone for the retired 17.0; RDS takes it for the default minor version.
    (instance.node.defaultChild as CfnResource).addMetadata('cfn-lint', { config: { ignore_checks: ['W3691'] } });

    if (!props.multiAz) {
      Validations.of(instance).acknowledge({
        id: 'AwsSolutions-RDS3',
        reason:
          'One zone at this phase: a standby doubles the price of the database, and comes when the app has more than one server.',
      });
    }
    Validations.of(instance).acknowledge({
      id: 'AwsSolutions-RDS11',
      reason: 'A port other than 5432 hides nothing here: only the app can reach the database at all.',
    });
    return instance;
  }
}

function validate(props: DatabaseProps): void {
  if (!/^[a-z][a-z0-9]{0,15}$/.test(props.databaseName)) {
    throw new Error(`Database: databaseName "${props.databaseName}" must be 1 to 16 lower-case letters and digits`);
  }
  const allocatedStorage = (props.allocatedStorage ?? Size.gibibytes(100)).toGibibytes();
  const maxAllocatedStorage = (props.maxAllocatedStorage ?? Size.gibibytes(1000)).toGibibytes();
  if (allocatedStorage < 20 || allocatedStorage > 65_536) {
    throw new Error(`Database: allocatedStorage ${allocatedStorage} GiB must be from 20 to 65536 GiB`);
  }
  if (maxAllocatedStorage < allocatedStorage * 1.1 || maxAllocatedStorage > 65_536) {
    throw new Error(
      `Database: maxAllocatedStorage ${maxAllocatedStorage} GiB must be 10% more than allocatedStorage at least, and at most 65536 GiB`,
    );
  }
  const days = (props.backupRetention ?? Duration.days(7)).toDays();
  if (days < 1 || days > 35) {
    throw new Error(`Database: backupRetention of ${days} days must be from 1 to 35 days`);
  }
}

/** Memory follows from family and size: an `xlarge` has 16 GiB as t or m, 32 as r, 64 as x, and the others double or halve it. */
function memoryGib(instanceType: InstanceType): number {
  const [family = '', size = ''] = instanceType.toString().split('.');
  const xlarge = { t: 16, m: 16, r: 32, x: 64 }[family.charAt(0)];
  const factors: Record<string, number> = { micro: 1 / 16, small: 1 / 8, medium: 1 / 4, large: 1 / 2, xlarge: 1 };
  const factor = factors[size] ?? Number(/^(\d+)xlarge$/.exec(size)?.[1]);
  if (!xlarge || !factor) {
    throw new Error(`Database: instanceType ${instanceType.toString()} must be of family t, m, r or x`);
  }
  return xlarge * factor;
}
