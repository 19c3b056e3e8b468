import { Aws, RemovalPolicy, Tags, Validations } from 'aws-cdk-lib';
import type { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import {
  CfnSubnet,
  type InstanceType,
  type ISecurityGroup,
  type ISubnet,
  type IVpc,
  SubnetType,
} from 'aws-cdk-lib/aws-ec2';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import {
  DatabaseInstanceEngine,
  DatabaseInstanceReadReplica,
  type IDatabaseInstance,
  ParameterGroup,
  PostgresEngineVersion,
  StorageType,
  SubnetGroup,
} from 'aws-cdk-lib/aws-rds';
import { Construct } from 'constructs';
import { POSTGRES_MAJOR } from '../constants';

export interface ReadReplicasProps {
  /** VPC with isolated subnets in several availability zones. */
  readonly vpc: IVpc;

  /** The primary. It must have automated backups. Replicas are encrypted with its key. */
  readonly source: IDatabaseInstance;

  /** Security group of the primary. Its clients may connect to the replicas as well. */
  readonly securityGroup: ISecurityGroup;

  /** Instance class of each replica. Use the primary's: a replica applies all of its writes. */
  readonly instanceType: InstanceType;

  /** KMS key for Performance Insights. */
  readonly encryptionKey: IKey;

  /** Number of replicas, spread over the availability zones: 0 to 15. */
  readonly count: number;
}

/**
 * Read replicas of an RDS for PostgreSQL instance, by streaming replication.
 *
 *     const replicas = new ReadReplicas(this, 'ReadReplicas', {
 *       vpc, encryptionKey, count: 2, source: database.instance,
 *       securityGroup: database.securityGroup, instanceType: database.instanceType,
 *     });
 *     replicas.hosts; // for the app: DATABASE_REPLICA_HOSTS
 *
 * Replicas have the users and passwords of the primary. Replica lag is usually milliseconds but can grow to minutes, so
 * clients must check it. Replicas only hold copies, so they have no deletion protection, and a deploy with a lower `count`
 * deletes them.
 *
 * Each costs as much as a Single-AZ primary of the same class.
 *
 * Fixed cost: $118 a month in phases 3 and 4, plus usage (us-east-1, prices of 2024-07 to 2025-12;
 * `npm run cost -- phase-4`).
 */
export class ReadReplicas extends Construct {
  readonly instances: readonly DatabaseInstanceReadReplica[];

  constructor(scope: Construct, id: string, props: ReadReplicasProps) {
    super(scope, id);
    const { count } = props;
    if (!Number.isInteger(count) || count < 0 || count > 15) {
      throw new Error(`ReadReplicas: count must be a whole number from 0 to 15, got ${count}.`);
    }
    this.instances = count === 0 ? [] : this.makeInstances(props);
  }

  /** Host names of the replicas. The port is 5432. */
  get hosts(): string[] {
    return this.instances.map((instance) => instance.dbInstanceEndpointAddress);
  }

  /** Returns an `AWS/RDS` metric for each replica, such as `ReplicaLag`. */
  metrics(metricName: string, statistic: string): Metric[] {
    return this.instances.map((instance, index) =>
      instance.metric(metricName, { statistic, label: `replica ${index + 1}` }),
    );
  }

  private makeInstances(props: ReadReplicasProps): DatabaseInstanceReadReplica[] {
    const { subnets } = props.vpc.selectSubnets({ subnetType: SubnetType.PRIVATE_ISOLATED });
    const subnetGroup = new SubnetGroup(this, 'Subnets', {
      vpc: props.vpc,
      vpcSubnets: { subnets },
      description: 'Data subnets',
    });
    const major = String(POSTGRES_MAJOR);
    const parameterGroup = new ParameterGroup(this, 'Parameters', {
      engine: DatabaseInstanceEngine.postgres({ version: PostgresEngineVersion.of(major, major) }),
      description: 'TLS only, slow statements logged, queries not cancelled by clean-up on the primary',
      parameters: { 'rds.force_ssl': '1', log_min_duration_statement: '1000', hot_standby_feedback: '1' },
    });
    return Array.from({ length: props.count }, (_, index) => {
      const replica = new DatabaseInstanceReadReplica(this, `Replica${index + 1}`, {
        sourceDatabaseInstance: props.source,
        instanceType: props.instanceType,
        // CDK defaults to gp2 regardless of the source.
        storageType: StorageType.GP3,
        vpc: props.vpc,
        subnetGroup,
        securityGroups: [props.securityGroup],
        // RDS chooses the zones of the primary and its standby, so the replicas' zones are set independently of them.
        availabilityZone: zoneOf(subnets[(index + 1) % subnets.length] as ISubnet),
        parameterGroup,
        publiclyAccessible: false,
        copyTagsToSnapshot: true,
        autoMinorVersionUpgrade: true,
        deletionProtection: false,
        removalPolicy: RemovalPolicy.DESTROY,
        enablePerformanceInsights: true,
        performanceInsightEncryptionKey: props.encryptionKey,
        cloudwatchLogsExports: ['postgresql', 'upgrade'],
      });
      Tags.of(replica).add('Name', `${Aws.STACK_NAME}-replica-${index + 1}`);
      acknowledge(replica);
      return replica;
    });
  }
}

function acknowledge(replica: DatabaseInstanceReadReplica): void {
  const reasons = {
    'AwsSolutions-RDS2':
      'A replica in the same region is encrypted with the key of its primary and must not specify a key.',
    'AwsSolutions-RDS3': 'Replicas are redundant: the next one is in another availability zone.',
    'AwsSolutions-RDS10': 'A replica holds only copies of the data, and a deploy must be able to remove it.',
    'AwsSolutions-RDS11': 'Security groups let only the app reach the database. A non-default port adds no protection.',
    'AwsSolutions-RDS13': 'Backups are taken from the primary.',
  };
  for (const [id, reason] of Object.entries(reasons)) Validations.of(replica).acknowledge({ id, reason });
}

/** The actual zone of the subnet. `availabilityZone` may be `Fn.select` on the region's list, whose order can change. */
function zoneOf(subnet: ISubnet): string {
  const resource = subnet.node.defaultChild;
  return resource instanceof CfnSubnet ? resource.attrAvailabilityZone : subnet.availabilityZone;
}
