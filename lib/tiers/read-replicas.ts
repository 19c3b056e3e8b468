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
  /** VPC with isolated subnets in several zones. */
  readonly vpc: IVpc;

  /** The primary. It must have automated backups, and is encrypted with the same key. */
  readonly source: IDatabaseInstance;

  /** Security group of the primary: who may connect there may connect here. */
  readonly securityGroup: ISecurityGroup;

  /** Class of each replica; the primary's own is a safe choice, since a replica repeats all its writes. */
  readonly instanceType: InstanceType;

  /** Key that encrypts Performance Insights. */
  readonly encryptionKey: IKey;

  /** How many: 0 to 15. They are spread over the zones. */
  readonly count: number;
}

/**
 * Copies of a PostgreSQL on RDS that follow it by streaming replication, for reads only.
 *
 *     const replicas = new ReadReplicas(this, 'ReadReplicas', {
 *       vpc, encryptionKey, count: 2, source: database.instance,
 *       securityGroup: database.securityGroup, instanceType: database.instanceType,
 *     });
 *     replicas.hosts; // for the app: DATABASE_REPLICA_HOSTS
 *
 * They take the users and passwords of the primary, and lag behind it by milliseconds, or by minutes when something is stuck:
 * a client must notice. They hold nothing that the primary does not, so they are neither kept nor protected; fewer of them
 * is one deploy away.
 *
 * Each costs as much as a single-zone primary of its class.
 */
export class ReadReplicas extends Construct {
  readonly instances: readonly DatabaseInstanceReadReplica[];

  constructor(scope: Construct, id: string, props: ReadReplicasProps) {
    super(scope, id);
    const { count } = props;
    if (!Number.isInteger(count) || count < 0 || count > 15) {
      throw new Error(`ReadReplicas: count ${count} must be a whole number from 0 to 15`);
    }
    this.instances = count === 0 ? [] : this.makeInstances(props);
  }

  /** Names of the hosts, all on port 5432. */
  get hosts(): string[] {
    return this.instances.map((instance) => instance.dbInstanceEndpointAddress);
  }

  /** A metric of `AWS/RDS` for each replica, such as `ReplicaLag`. */
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
        // The CDK would ask for gp2, whatever the source has.
        storageType: StorageType.GP3,
        vpc: props.vpc,
        subnetGroup,
        securityGroups: [props.securityGroup],
        // The primary and its standby begin in two zones of AWS's choice.
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
      'A replica in the same region is encrypted with the key of its primary, and must not name one.',
    'AwsSolutions-RDS3': 'It is one of several copies by itself: another zone has the next.',
    'AwsSolutions-RDS10':
      'It holds nothing that the primary does not, and fewer replicas must be a matter of one deploy.',
    'AwsSolutions-RDS11': 'A port other than 5432 hides nothing here: only the app can reach the database at all.',
    'AwsSolutions-RDS13': 'Backups are taken from the primary.',
  };
  for (const [id, reason] of Object.entries(reasons)) Validations.of(replica).acknowledge({ id, reason });
}

/** The zone that the subnet is really in; its `availabilityZone` may be "the second of the region", which can move. */
function zoneOf(subnet: ISubnet): string {
  const resource = subnet.node.defaultChild;
  return resource instanceof CfnSubnet ? resource.attrAvailabilityZone : subnet.availabilityZone;
}
