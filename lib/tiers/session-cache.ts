import { Aws, CfnDeletionPolicy, Fn, RemovalPolicy, Tags, Validations } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import {
  CfnSecurityGroupEgress,
  CfnSecurityGroupIngress,
  type IConnectable,
  type IVpc,
  SecurityGroup,
  SubnetType,
} from 'aws-cdk-lib/aws-ec2';
import {
  CfnParameterGroup,
  CfnReplicationGroup,
  CfnSubnetGroup,
  CfnUser,
  CfnUserGroup,
} from 'aws-cdk-lib/aws-elasticache';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct, type IDependable } from 'constructs';

export interface SessionCacheProps {
  /** VPC with isolated subnets in as many availability zones as there are nodes, up to three. */
  readonly vpc: IVpc;

  /** KMS key for data at rest, snapshots and the secret. Changing it replaces the cache. */
  readonly encryptionKey: IKey;

  /** Name of the only enabled user: lowercase letters and digits, up to 32, not `default`. */
  readonly userName: string;

  /**
   * Node type. A change moves the data to new nodes, with a few seconds of unavailable writes.
   *
   * @default 'cache.t4g.small' (2 vCPU, 1.37 GiB)
   */
  readonly nodeType?: string;

  /**
   * Number of nodes, spread over the availability zones: one primary and its replicas, 2 to 6.
   *
   * @default 3
   */
  readonly nodes?: number;

  /**
   * Retention of daily snapshots, in days: 1 to 35.
   *
   * @default 7
   */
  readonly snapshotRetentionLimit?: number;
}

const PORT = 6379;

/**
 * ElastiCache for Valkey for sessions and cached responses: a primary with replicas in other availability zones, automatic
 * failover, TLS only, encryption at rest, daily snapshots, and one user with a password in Secrets Manager.
 *
 *     const cache = new SessionCache(this, 'SessionCache', { vpc, encryptionKey, userName: 'shop' });
 *     fleet.addLaunchDependency(cache.allowFrom('Fleet', fleet, 'The servers'));
 *     cache.url; // rediss://master.….cache.amazonaws.com:6379
 *
 * `secret` contains `{username, password}` as JSON. A user group requires the user `default`, which unauthenticated clients
 * get. It is disabled here.
 *
 * The eviction policy is `volatile-ttl`: responses cached for seconds are evicted before sessions that live for days.
 * Replication is asynchronous: a client that must not lose a write waits for a replica (`WAIT 1`).
 *
 * CDK has no L2 construct for replication groups. Quirks: Multi-AZ also requires automatic failover. Changing from an AUTH
 * token to users replaces the cache (https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/2356), so
 * users are set up from the start. CloudFormation generates no names for users and user groups, so they contain the UUID of
 * the stack's id.
 *
 * Fixed cost: $56 a month in phases 3 and 4, plus usage (us-east-1, prices of 2024-07 to 2026-10;
 * `npm run cost -- phase-4`).
 */
export class SessionCache extends Construct {
  readonly replicationGroup: CfnReplicationGroup;
  readonly secret: Secret;
  readonly nodes: number;
  private readonly securityGroup: SecurityGroup;

  constructor(scope: Construct, id: string, props: SessionCacheProps) {
    super(scope, id);
    validate(props);

    this.nodes = props.nodes ?? 3;
    this.securityGroup = new SecurityGroup(this, 'SecurityGroup', {
      vpc: props.vpc,
      description: 'The cache: clients in, nothing out',
      allowAllOutbound: false,
    });
    this.secret = this.makeSecret(props);
    this.replicationGroup = this.makeReplicationGroup(props, this.makeUsers(props));
  }

  /** URL of the primary endpoint, which follows a failover. */
  get url(): string {
    return `rediss://${this.replicationGroup.attrPrimaryEndPointAddress}:${PORT}`;
  }

  /**
   * Allows a client to connect. Unlike `connections.allowFrom`, it creates rules whose ids do not contain the stack's id.
   *
   * @param id part of the construct ids of the two rules
   * @returns dependency of the client: it cannot connect before the rules exist
   */
  allowFrom(id: string, client: IConnectable, description: string): IDependable {
    const rules = new Construct(this, `From${id}`);
    const clientGroupId = client.connections.securityGroups[0]?.securityGroupId;
    if (!clientGroupId) throw new Error(`SessionCache: client ${id} must have a security group, got none.`);
    const { securityGroupId } = this.securityGroup;
    const port = { ipProtocol: 'tcp', fromPort: PORT, toPort: PORT, description };
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

  /** Returns an `AWS/ElastiCache` metric for each node, such as `EngineCPUUtilization`. Any node can become the primary. */
  metrics(metricName: string, statistic: string): Metric[] {
    return Array.from({ length: this.nodes }, (_, index) => {
      const node = `${this.replicationGroup.ref}-${String(index + 1).padStart(3, '0')}`;
      return new Metric({
        namespace: 'AWS/ElastiCache',
        metricName,
        statistic,
        dimensionsMap: { CacheClusterId: node },
        label: `node ${index + 1}`,
      });
    });
  }

  private makeSecret(props: SessionCacheProps): Secret {
    const secret = new Secret(this, 'Secret', {
      description: 'User of the cache',
      encryptionKey: props.encryptionKey,
      generateSecretString: {
        secretStringTemplate: JSON.stringify({ username: props.userName }),
        generateStringKey: 'password',
        passwordLength: 64,
        excludePunctuation: true,
      },
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason: 'Clients read the secret at startup, so a rotation must also restart them.',
    });
    return secret;
  }

  private makeUsers(props: SessionCacheProps): CfnUserGroup {
    const stackUuid = Fn.select(2, Fn.split('/', Aws.STACK_ID));
    const passwords = [this.secret.secretValueFromJson('password').unsafeUnwrap()];
    const engine = 'valkey';
    const user = new CfnUser(this, 'User', {
      engine,
      userId: `u-${stackUuid}`,
      userName: props.userName,
      // All commands except those that flush or reconfigure the cache. Clients use INFO and ROLE to check for replicas.
      accessString: 'on ~* &* +@all -@admin -@dangerous +info +role',
      passwords,
    });
    const defaultUser = new CfnUser(this, 'DefaultUser', {
      engine,
      userId: `d-${stackUuid}`,
      userName: 'default',
      accessString: 'off -@all',
      passwords,
    });
    return new CfnUserGroup(this, 'UserGroup', {
      engine,
      userGroupId: `g-${stackUuid}`,
      userIds: [user.ref, defaultUser.ref],
    });
  }

  private makeReplicationGroup(props: SessionCacheProps, users: CfnUserGroup): CfnReplicationGroup {
    const subnets = new CfnSubnetGroup(this, 'Subnets', {
      description: 'Data subnets',
      subnetIds: props.vpc.selectSubnets({ subnetType: SubnetType.PRIVATE_ISOLATED }).subnetIds,
    });
    const parameters = new CfnParameterGroup(this, 'Parameters', {
      cacheParameterGroupFamily: 'valkey8',
      description: 'What expires soonest is evicted first',
      properties: { 'maxmemory-policy': 'volatile-ttl' },
    });
    const group = new CfnReplicationGroup(this, 'Group', {
      replicationGroupDescription: 'Sessions and cached responses',
      engine: 'valkey',
      engineVersion: '8.1',
      cacheNodeType: props.nodeType ?? 'cache.t4g.small',
      numCacheClusters: this.nodes,
      automaticFailoverEnabled: true,
      multiAzEnabled: true,
      cacheSubnetGroupName: subnets.ref,
      cacheParameterGroupName: parameters.ref,
      securityGroupIds: [this.securityGroup.securityGroupId],
      port: PORT,
      transitEncryptionEnabled: true,
      userGroupIds: [users.ref],
      atRestEncryptionEnabled: true,
      kmsKeyId: props.encryptionKey.keyId,
      snapshotRetentionLimit: props.snapshotRetentionLimit ?? 7,
      snapshotWindow: '04:30-05:30',
      preferredMaintenanceWindow: 'sun:07:30-sun:08:30',
      autoMinorVersionUpgrade: true,
    });
    group.cfnOptions.deletionPolicy = CfnDeletionPolicy.SNAPSHOT;
    group.cfnOptions.updateReplacePolicy = CfnDeletionPolicy.SNAPSHOT;
    Tags.of(group).add('Name', `${Aws.STACK_NAME}-cache`);

    Validations.of(group).acknowledge({
      id: 'AwsSolutions-AEC5',
      reason: 'Security groups let only the app reach the cache. A non-default port adds no protection.',
    });
    Validations.of(group).acknowledge({
      id: 'AwsSolutions-AEC6',
      reason: 'Users with passwords (RBAC) replace the AUTH token.',
    });
    return group;
  }
}

function validate({ userName, nodes = 3, snapshotRetentionLimit = 7 }: SessionCacheProps): void {
  if (!/^[a-z][a-z0-9]{0,31}$/.test(userName) || userName === 'default') {
    throw new Error(
      `SessionCache: userName must be up to 32 lowercase letters and digits and not "default", got "${userName}".`,
    );
  }
  if (!Number.isInteger(nodes) || nodes < 2 || nodes > 6) {
    throw new Error(`SessionCache: nodes must be a whole number from 2 to 6, got ${nodes}.`);
  }
  if (!Number.isInteger(snapshotRetentionLimit) || snapshotRetentionLimit < 1 || snapshotRetentionLimit > 35) {
    throw new Error(
      `SessionCache: snapshotRetentionLimit must be a whole number from 1 to 35, got ${snapshotRetentionLimit}.`,
    );
  }
}
