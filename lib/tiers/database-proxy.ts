import { Aws, Duration, Fn, Validations } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import {
  CfnSecurityGroupEgress,
  CfnSecurityGroupIngress,
  type Connections,
  type IConnectable,
  type IVpc,
  SecurityGroup,
  SubnetType,
} from 'aws-cdk-lib/aws-ec2';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnDBProxy, CfnDBProxyTargetGroup, type IDatabaseInstance } from 'aws-cdk-lib/aws-rds';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct, type IDependable } from 'constructs';
import { CONNECTION_SHARE } from '../constants';

export interface DatabaseProxyProps {
  /** VPC with isolated subnets in at least two zones. */
  readonly vpc: IVpc;

  /** RDS for PostgreSQL. */
  readonly instance: IDatabaseInstance;

  /** Secret with `username` and `password`: the proxy logs in with it, and clients log in to the proxy with it. */
  readonly secret: ISecret;

  /**
   * How much of the database's `max_connections` the proxy may use, in percent: 1 to 100.
   *
   * @default 80, the share that `lib/constants.ts` leaves to the app
   */
  readonly maxConnectionsPercent?: number;

  /**
   * How long a client waits for a connection of the database when all are taken, in whole seconds.
   *
   * @default Duration.seconds(3)
   */
  readonly borrowTimeout?: Duration;

  /**
   * Settings of every connection to the database, such as `statement_timeout: '5s'`.
   *
   * @default - those of the database
   */
  readonly sessionSettings?: Readonly<Record<string, string>>;
}

/**
 * RDS Proxy in front of PostgreSQL: many clients share few connections, and a failover of the database is a pause instead of
 * broken connections. TLS only.
 *
 *     const proxy = new DatabaseProxy(this, 'DatabaseProxy', { vpc, instance: database.instance, secret: database.secret });
 *     database.allowFrom('Proxy', proxy, 'RDS Proxy');
 *     proxy.allowFrom('Servers', fleet, 'The app');
 *
 * A connection goes back to the others at the end of each transaction, unless its client is pinned to it: by `SET`, by
 * `PREPARE` as a statement, `LISTEN`, temporary tables, declared cursors, advisory locks, and by any statement above 16 KB.
 * Parameterized queries, such as those of node-postgres, no longer pin (AWS mended that in 2023; until then every one did:
 * https://github.com/brianc/node-postgres/issues/2326). The metric of pinned connections tells.
 *
 * The proxy refuses connections whose start-up message carries settings such as `statement_timeout`, which drivers like to
 * send. Leave them out in the client and give them here as `sessionSettings`.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-pinning.html
 * @see https://aws.amazon.com/blogs/database/amazon-rds-proxy-multiplexing-support-for-postgresql-extended-query-protocol/
 */
export class DatabaseProxy extends Construct implements IConnectable {
  /** Host name that clients connect to instead of the database's, on port 5432. */
  readonly host: string;
  readonly connections: Connections;
  private readonly securityGroup: SecurityGroup;
  private readonly proxy: CfnDBProxy;

  constructor(scope: Construct, id: string, props: DatabaseProxyProps) {
    super(scope, id);
    validate(props);

    this.securityGroup = new SecurityGroup(this, 'SecurityGroup', {
      vpc: props.vpc,
      description: 'The proxy: clients in, the database out',
      allowAllOutbound: false,
    });
    this.connections = this.securityGroup.connections;
    const role = this.makeRole();
    this.proxy = this.makeProxy(props, role);
    // Its rights first: a proxy that cannot read the secret calls its targets unavailable for minutes.
    props.secret.grantRead(role).applyBefore(this.proxy);
    this.host = this.proxy.attrEndpoint;
    this.makeTargetGroup(props);
  }

  /**
   * Lets a client connect. (`connections.allowFrom` would name the rules after the stack's id.)
   *
   * @param id what the client is called in the ids of the two rules
   * @returns what to wait for before connecting
   */
  allowFrom(id: string, client: IConnectable, description: string): IDependable {
    const rules = new Construct(this, `From${id}`);
    const clientGroupId = client.connections.securityGroups[0]?.securityGroupId;
    if (!clientGroupId) throw new Error(`DatabaseProxy: the client ${id} has no security group`);
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

  /** A metric of `AWS/RDS` about this proxy, such as `DatabaseConnectionsCurrentlySessionPinned`. */
  metric(metricName: string, statistic: string): Metric {
    return new Metric({
      namespace: 'AWS/RDS',
      metricName,
      statistic,
      dimensionsMap: { ProxyName: this.proxy.ref },
    });
  }

  private makeRole(): Role {
    return new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('rds.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
      }),
    });
  }

  private makeProxy(props: DatabaseProxyProps, role: Role): CfnDBProxy {
    const proxy = new CfnDBProxy(this, 'Proxy', {
      // CloudFormation generates no name for a proxy. The stack's own id is unique, and free again after a delete.
      dbProxyName: `proxy-${Fn.select(2, Fn.split('/', Aws.STACK_ID))}`,
      engineFamily: 'POSTGRESQL',
      auth: [
        {
          authScheme: 'SECRETS',
          secretArn: props.secret.secretArn,
          iamAuth: 'DISABLED',
          clientPasswordAuthType: 'POSTGRES_SCRAM_SHA_256',
        },
      ],
      roleArn: role.roleArn,
      requireTls: true,
      idleClientTimeout: Duration.minutes(30).toSeconds(),
      vpcSubnetIds: props.vpc.selectSubnets({ subnetType: SubnetType.PRIVATE_ISOLATED }).subnetIds,
      vpcSecurityGroupIds: [this.securityGroup.securityGroupId],
    });
    Validations.of(proxy).acknowledge({
      id: 'AwsSolutions-RDS11',
      reason: 'A port other than 5432 hides nothing here: only the app can reach the proxy at all.',
    });
    return proxy;
  }

  private makeTargetGroup(props: DatabaseProxyProps): void {
    const settings = Object.entries(props.sessionSettings ?? {});
    new CfnDBProxyTargetGroup(this, 'TargetGroup', {
      dbProxyName: this.proxy.ref,
      targetGroupName: 'default',
      dbInstanceIdentifiers: [props.instance.instanceIdentifier],
      connectionPoolConfigurationInfo: {
        maxConnectionsPercent: props.maxConnectionsPercent ?? CONNECTION_SHARE * 100,
        maxIdleConnectionsPercent: Math.ceil((props.maxConnectionsPercent ?? CONNECTION_SHARE * 100) / 2),
        connectionBorrowTimeout: (props.borrowTimeout ?? Duration.seconds(3)).toSeconds(),
        initQuery:
          settings.length > 0 ? settings.map(([name, value]) => `SET ${name} = '${value}'`).join('; ') : undefined,
      },
    });
  }
}

function validate(props: DatabaseProxyProps): void {
  const percent = props.maxConnectionsPercent ?? CONNECTION_SHARE * 100;
  if (!Number.isInteger(percent) || percent < 1 || percent > 100) {
    throw new Error(`DatabaseProxy: maxConnectionsPercent ${percent} must be a whole number from 1 to 100`);
  }
  const seconds = (props.borrowTimeout ?? Duration.seconds(3)).toSeconds();
  if (seconds < 1 || seconds > 300) {
    throw new Error(`DatabaseProxy: borrowTimeout of ${seconds} s must be from 1 to 300 s`);
  }
  for (const [name, value] of Object.entries(props.sessionSettings ?? {})) {
    if (!/^[a-z_]+$/.test(name) || !/^[\w ./-]+$/.test(value)) {
      throw new Error(`DatabaseProxy: sessionSettings ${name}=${JSON.stringify(value)} must be a plain name and value`);
    }
  }
}
