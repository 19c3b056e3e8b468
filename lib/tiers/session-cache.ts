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
  /** VPC with isolated subnets in as many zones as there are nodes, up to three. */
  readonly vpc: IVpc;

  /** Key that encrypts memory snapshots and the secret. Another key later means another cache. */
  readonly encryptionKey: IKey;

  /** Name of the one user who may do anything. Lower-case letters and digits. */
  readonly userName: string;

  /**
   * Class of each node. A change moves the data to new nodes, with some seconds without writes.
   *
   * @default 'cache.t4g.small' (2 vCPU, 1.37 GiB)
   */
  readonly nodeType?: string;

  /**
   * Nodes, spread over the zones: one primary, the others its replicas. From 2 to 6.
   *
   * @default 3
   */
  readonly nodes?: number;

  /**
   * Daily snapshots that are kept: 1 to 35.
   *
   * @default 7
   */
  readonly snapshotRetentionLimit?: number;
}

const PORT = 6379;

/**
 * Valkey on ElastiCache for sessions and cached answers: a primary and its replicas over the zones, with automatic failover,
 * TLS only, one user with a password in Secrets Manager, encrypted under the given key, a daily snapshot.
 *
 *     const cache = new SessionCache(this, 'SessionCache', { vpc, encryptionKey, userName: 'shop' });
 *     fleet.addLaunchDependency(cache.allowFrom('Fleet', fleet, 'The servers'));
 *     cache.url; // rediss://master.….cache.amazonaws.com:6379
 *
 * `secret` holds `{username, password}` as JSON. The user `default`, which clients without a name are, is there because
 * engines want it, and switched off.
 *
 * When memory runs out, what expires soonest goes first: answers that are held for seconds before sessions that are held for
 * days. Replication is asynchronous: a client that must not lose a write waits for a replica (`WAIT 1`).
 *
 * There is no L2 construct for replication groups, and three quirks. Several zones need automatic failover said as well. An
 * authentication token could not become users later without a new cache
 * (https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/2356). And users and their group have no
 * generated names: theirs come from the id of the stack, which no other has.
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

  /** Where the primary is, whichever node that is. */
  get url(): string {
    return `rediss://${this.replicationGroup.attrPrimaryEndPointAddress}:${PORT}`;
  }

  /**
   * Lets a client connect.
   *
   * (`connections.allowFrom` would name the two rules after the stack's id.)
   *
   * @param id what the client is called in the ids of the two rules
   * @returns what to wait for before connecting
   */
  allowFrom(id: string, client: IConnectable, description: string): IDependable {
    const rules = new Construct(this, `From${id}`);
    const clientGroupId = client.connections.securityGroups[0]?.securityGroupId;
    if (!clientGroupId) throw new Error(`SessionCache: the client ${id} has no security group`);
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

  /** A metric of `AWS/ElastiCache` for each node, such as `EngineCPUUtilization`: which one is the primary can change. */
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
      reason: 'Clients read the secret when they start: a rotation must restart them in the same move.',
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
      // Everything but what could empty it or change how it runs; INFO and ROLE tell clients whether replicas are there.
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
      replicationGroupDescription: 'Sessions and cached answers',
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
      reason: 'A port other than 6379 hides nothing here: only the app can reach the cache at all.',
    });
    Validations.of(group).acknowledge({
      id: 'AwsSolutions-AEC6',
      reason: 'Users with passwords (access control lists) take the place of the one authentication token.',
    });
    return group;
  }
}

function validate({ userName, nodes = 3, snapshotRetentionLimit = 7 }: SessionCacheProps): void {
  if (!/^[a-z][a-z0-9]{0,31}$/.test(userName) || userName === 'default') {
    throw new Error(`SessionCache: userName "${userName}" must be lower-case letters and digits, and not "default"`);
  }
  if (!Number.isInteger(nodes) || nodes < 2 || nodes > 6) {
    throw new Error(`SessionCache: nodes ${nodes} must be a whole number from 2 to 6`);
  }
  if (!Number.isInteger(snapshotRetentionLimit) || snapshotRetentionLimit < 1 || snapshotRetentionLimit > 35) {
    throw new Error(
      `SessionCache: snapshotRetentionLimit ${snapshotRetentionLimit} must be a whole number from 1 to 35`,
    );
  }
}
