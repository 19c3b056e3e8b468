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
  /** VPC with isolated subnets in at least two availability zones. */
  readonly vpc: IVpc;

  /** RDS for PostgreSQL instance. */
  readonly instance: IDatabaseInstance;

  /** Secret with `username` and `password`, for the proxy's connections to the database and the clients' to the proxy. */
  readonly secret: ISecret;

  /**
   * Share of the database's `max_connections` that the proxy may use, in percent: 1 to 100.
   *
   * @default 80 (`CONNECTION_SHARE`)
   */
  readonly maxConnectionsPercent?: number;

  /**
   * Connection borrow timeout: how long a client waits when all database connections are in use, 1 to 300 whole seconds.
   *
   * @default Duration.seconds(3)
   */
  readonly borrowTimeout?: Duration;

  /**
   * Session settings of every database connection, such as `statement_timeout: '5s'`.
   *
   * @default - the settings of the database
   */
  readonly sessionSettings?: Readonly<Record<string, string>>;
}

/**
 * RDS Proxy for PostgreSQL, TLS only. It multiplexes many client connections over few database connections, and keeps client
 * connections open during a failover of the database.
 *
 *     const proxy = new DatabaseProxy(this, 'DatabaseProxy', { vpc, instance: database.instance, secret: database.secret });
 *     database.allowFrom('Proxy', proxy, 'RDS Proxy');
 *     proxy.allowFrom('Servers', fleet, 'The app');
 *
 * A database connection returns to the pool after each transaction, unless the session is pinned: by `SET`, a `PREPARE`
 * statement, `LISTEN`, temporary tables, declared cursors, advisory locks, or a statement larger than 16 KB. Parameterized
 * queries, such as those of node-postgres, do not pin since 2023 (before: https://github.com/brianc/node-postgres/issues/2326).
 * Watch `DatabaseConnectionsCurrentlySessionPinned`.
 *
 * The proxy rejects connections whose startup message contains settings such as `statement_timeout`, which many drivers
 * send. Remove them from the client and set them here as `sessionSettings`.
 *
 * Fixed cost: $22 a month in phase 4 (us-east-1, prices of 2024-07; `npm run cost -- phase-4`).
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-pinning.html
 * @see https://aws.amazon.com/blogs/database/amazon-rds-proxy-multiplexing-support-for-postgresql-extended-query-protocol/
 */
export class DatabaseProxy extends Construct implements IConnectable {
  /** Host name that clients connect to instead of the database's. The port is 5432. */
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
    // Grant before the proxy exists: a proxy that cannot read the secret reports its targets as unavailable for minutes.
    props.secret.grantRead(role).applyBefore(this.proxy);
    this.host = this.proxy.attrEndpoint;
    this.makeTargetGroup(props);
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
    if (!clientGroupId) throw new Error(`DatabaseProxy: client ${id} must have a security group, got none.`);
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

  /** Returns an `AWS/RDS` metric of the proxy, such as `DatabaseConnectionsCurrentlySessionPinned`. */
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
      // CloudFormation generates no proxy names. A name from the stack's id is unique to each stack, even a recreated one.
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
      reason: 'Security groups let only the app reach the proxy. A non-default port adds no protection.',
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
    throw new Error(`DatabaseProxy: maxConnectionsPercent must be a whole number from 1 to 100, got ${percent}.`);
  }
  const seconds = (props.borrowTimeout ?? Duration.seconds(3)).toSeconds();
  if (seconds < 1 || seconds > 300) {
    throw new Error(`DatabaseProxy: borrowTimeout must be from 1 to 300 s, got ${seconds} s.`);
  }
  for (const [name, value] of Object.entries(props.sessionSettings ?? {})) {
    if (!/^[a-z_]+$/.test(name) || !/^[\w ./-]+$/.test(value)) {
      throw new Error(
        'DatabaseProxy: sessionSettings must have names of [a-z_] and values of letters, digits, spaces and . / _ -, ' +
          `got ${name}=${JSON.stringify(value)}.`,
      );
    }
  }
}
