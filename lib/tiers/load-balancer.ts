import { Aws, type CfnResource, Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { Certificate, CertificateValidation } from 'aws-cdk-lib/aws-certificatemanager';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import {
  CfnSecurityGroupEgress,
  CfnSecurityGroupIngress,
  type Connections,
  type IConnectable,
  type IVpc,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
} from 'aws-cdk-lib/aws-ec2';
import {
  ApplicationLoadBalancer,
  ApplicationProtocol,
  ApplicationTargetGroup,
  type BaseLoadBalancer,
  DesyncMitigationMode,
  ListenerAction,
  NetworkLoadBalancer,
  NetworkTargetGroup,
  Protocol,
  TargetGroupLoadBalancingAlgorithmType,
  TargetType,
} from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct, type IDependable } from 'constructs';
import {
  ALB_IDLE,
  APP_PORT,
  DEREGISTRATION_DELAY,
  HEALTH_HEALTHY_COUNT,
  HEALTH_INTERVAL,
  HEALTH_PATH,
  HEALTH_TIMEOUT,
  HEALTH_UNHEALTHY_COUNT,
} from '../constants';

export interface LoadBalancerProps {
  /** VPC with public subnets, or private ones for `internal`, in at least two zones. */
  readonly vpc: IVpc;

  /**
   * 7 balances requests (an ALB), 4 balances connections (an NLB) and knows nothing of HTTP: no HTTPS, no redirect, no
   * algorithm, and no log.
   *
   * @default 7
   */
  readonly layer?: 4 | 7;

  /**
   * How layer 7 chooses a server. Least outstanding requests suits servers of unequal speed, round robin equal ones.
   *
   * @default 'least-outstanding-requests'
   */
  readonly algorithm?: 'round-robin' | 'least-outstanding-requests';

  /**
   * Whether a visitor stays on one server: for a day by a cookie on layer 7, by the client's address on layer 4. An app that
   * needs it loses what the server held whenever one goes.
   *
   * @default false
   */
  readonly sticky?: boolean;

  /**
   * Name of the site, for HTTPS. Comes together with `hostedZoneId`.
   *
   * @default - plain HTTP
   */
  readonly domainName?: string;

  /**
   * Id of the public Route 53 zone that `domainName` belongs to; the certificate is proven there.
   *
   * @default - none
   */
  readonly hostedZoneId?: string;

  /**
   * Whether it can be reached from inside the VPC only; then nobody is let in before `securityGroup` says so.
   *
   * @default false
   */
  readonly internal?: boolean;

  /**
   * Why it may be deleted by a single command. The reason ends up in the template's metadata.
   *
   * @default - it is protected from deletion
   */
  readonly unprotectedBecause?: string;
}

/**
 * A load balancer over all zones, and the group of servers behind it.
 *
 *     const balancer = new LoadBalancer(this, 'LoadBalancer', { vpc: network.vpc, domainName, hostedZoneId });
 *     const fleet = new Fleet(this, 'Fleet', { targetGroupArn: balancer.targetGroupArn, ... });
 *     fleet.addLaunchDependency(balancer.allowTo('Fleet', fleet, 'The servers'));
 *
 * On layer 7 requests with malformed headers are dropped and ambiguous ones refused (desync mitigation `strictest`), and
 * each request is logged to a bucket for 90 days. A server gets requests while `HEALTH_PATH` answers 200; when none does,
 * AWS sends to all of them, so a health check that fails everywhere takes nothing away.
 *
 * Health checks must not touch what all servers share: a slow database would make every server unhealthy at once, and the
 * fleet would be replaced for nothing.
 *
 * `logAccessLogs` of the CDK refuses a stack that does not know its region (https://github.com/aws/aws-cdk/issues/27432);
 * the bucket's policy here names the log service, which is the same everywhere. It can read no key but S3's own.
 */
export class LoadBalancer extends Construct implements IConnectable {
  readonly loadBalancer: ApplicationLoadBalancer | NetworkLoadBalancer;
  readonly targetGroup: ApplicationTargetGroup | NetworkTargetGroup;
  readonly securityGroup: SecurityGroup;
  readonly connections: Connections;
  /** Where access logs go; layer 4 has none. */
  readonly accessLogs?: Bucket;
  private readonly listener: IDependable;

  constructor(scope: Construct, id: string, props: LoadBalancerProps) {
    super(scope, id);
    validate(props);

    this.securityGroup = this.makeSecurityGroup(props);
    this.connections = this.securityGroup.connections;
    if (props.layer === 4) {
      const { loadBalancer, targetGroup } = this.makeNetworkLoadBalancer(props);
      this.loadBalancer = loadBalancer;
      this.targetGroup = targetGroup;
      this.listener = loadBalancer.addListener('Tcp', { port: 80, defaultTargetGroups: [targetGroup] });
    } else {
      this.accessLogs = this.makeAccessLogs();
      const { loadBalancer, targetGroup } = this.makeApplicationLoadBalancer(props, this.accessLogs);
      this.loadBalancer = loadBalancer;
      this.targetGroup = targetGroup;
      this.listener = this.addListener(props, loadBalancer, targetGroup);
    }
  }

  get targetGroupArn(): string {
    return this.targetGroup.targetGroupArn;
  }

  get dnsName(): string {
    return this.loadBalancer.loadBalancerDnsName;
  }

  /**
   * Lets it reach servers.
   *
   * (`connections.allowTo` would name the two rules after the stack's id.)
   *
   * @param id what the servers are called in the ids of the two rules
   * @returns what to wait for before a server can become healthy
   */
  allowTo(id: string, servers: IConnectable, description: string): IDependable {
    const rules = new Construct(this, `To${id}`);
    const serverGroupId = servers.connections.securityGroups[0]?.securityGroupId;
    if (!serverGroupId) throw new Error(`LoadBalancer: the servers ${id} have no security group`);
    const { securityGroupId } = this.securityGroup;
    const port = { ipProtocol: 'tcp', fromPort: APP_PORT, toPort: APP_PORT, description };
    new CfnSecurityGroupIngress(rules, 'Ingress', {
      ...port,
      groupId: serverGroupId,
      sourceSecurityGroupId: securityGroupId,
    });
    new CfnSecurityGroupEgress(rules, 'Egress', {
      ...port,
      groupId: securityGroupId,
      destinationSecurityGroupId: serverGroupId,
    });
    // A server in a target group that no listener uses stays "unused" and never becomes healthy.
    rules.node.addDependency(this.listener);
    return rules;
  }

  /** A metric about all requests or connections, such as `HTTPCode_ELB_5XX_Count` on layer 7. */
  metric(metricName: string, statistic: string): Metric {
    return this.metricOf(metricName, statistic, { LoadBalancer: this.loadBalancer.loadBalancerFullName });
  }

  /** A metric about the servers behind it, such as `UnHealthyHostCount`. */
  metricTargets(metricName: string, statistic: string): Metric {
    return this.metricOf(metricName, statistic, {
      LoadBalancer: this.loadBalancer.loadBalancerFullName,
      TargetGroup: this.targetGroup.targetGroupFullName,
    });
  }

  private metricOf(metricName: string, statistic: string, dimensionsMap: Record<string, string>): Metric {
    const namespace = this.loadBalancer instanceof ApplicationLoadBalancer ? 'AWS/ApplicationELB' : 'AWS/NetworkELB';
    return new Metric({ namespace, metricName, statistic, dimensionsMap });
  }

  private makeSecurityGroup(props: LoadBalancerProps): SecurityGroup {
    const group = new SecurityGroup(this, 'SecurityGroup', {
      vpc: props.vpc,
      description: 'The load balancer: visitors in, servers out',
      allowAllOutbound: false,
    });
    if (props.internal) return group;
    for (const port of props.domainName ? [80, 443] : [80]) {
      group.addIngressRule(Peer.anyIpv4(), Port.tcp(port), `Visitors on port ${port}`);
    }
    Validations.of(group).acknowledge({
      id: 'AwsSolutions-EC23',
      reason: 'A public site: its web ports are meant for everybody, and no other is open.',
    });
    return group;
  }

  private makeAccessLogs(): Bucket {
    const logs = new Bucket(this, 'Logs', {
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      lifecycleRules: [{ expiration: Duration.days(90) }],
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    logs.addToResourcePolicy(
      new PolicyStatement({
        sid: 'LoadBalancerLogs',
        principals: [
          new ServicePrincipal('logdelivery.elasticloadbalancing.amazonaws.com', {
            conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
          }),
        ],
        actions: ['s3:PutObject'],
        resources: [logs.arnForObjects(`AWSLogs/${Aws.ACCOUNT_ID}/*`)],
      }),
    );
    Validations.of(logs).acknowledge({
      id: 'AwsSolutions-S1',
      reason: 'It holds access logs itself; logs of reading logs would have no end.',
    });
    return logs;
  }

  private makeApplicationLoadBalancer(props: LoadBalancerProps, logs: Bucket) {
    const loadBalancer = new ApplicationLoadBalancer(this, 'Alb', {
      ...this.common(props),
      securityGroup: this.securityGroup,
      idleTimeout: Duration.seconds(ALB_IDLE),
      dropInvalidHeaderFields: true,
      desyncMitigationMode: DesyncMitigationMode.STRICTEST,
    });
    loadBalancer.setAttribute('access_logs.s3.enabled', 'true');
    loadBalancer.setAttribute('access_logs.s3.bucket', logs.bucketName);
    // It writes a test file when logs are switched on.
    if (logs.policy) loadBalancer.node.addDependency(logs.policy);
    this.recordUnprotectedReason(loadBalancer, props);

    const targetGroup = new ApplicationTargetGroup(this, 'Servers', {
      vpc: props.vpc,
      targetType: TargetType.INSTANCE,
      protocol: ApplicationProtocol.HTTP,
      port: APP_PORT,
      healthCheck: HEALTH_CHECK,
      deregistrationDelay: Duration.seconds(DEREGISTRATION_DELAY),
      loadBalancingAlgorithmType:
        props.algorithm === 'round-robin'
          ? TargetGroupLoadBalancingAlgorithmType.ROUND_ROBIN
          : TargetGroupLoadBalancingAlgorithmType.LEAST_OUTSTANDING_REQUESTS,
      stickinessCookieDuration: props.sticky ? Duration.days(1) : undefined,
    });
    return { loadBalancer, targetGroup };
  }

  private makeNetworkLoadBalancer(props: LoadBalancerProps) {
    const loadBalancer = new NetworkLoadBalancer(this, 'Nlb', {
      ...this.common(props),
      securityGroups: [this.securityGroup],
      crossZoneEnabled: true,
    });
    this.recordUnprotectedReason(loadBalancer, props);
    Validations.of(loadBalancer).acknowledge({
      id: 'AwsSolutions-ELB2',
      reason: 'A network load balancer logs TLS listeners only; the flow log of the VPC has its connections.',
    });

    const targetGroup = new NetworkTargetGroup(this, 'Connections', {
      vpc: props.vpc,
      targetType: TargetType.INSTANCE,
      protocol: Protocol.TCP,
      port: APP_PORT,
      healthCheck: { ...HEALTH_CHECK, protocol: Protocol.HTTP },
      deregistrationDelay: Duration.seconds(DEREGISTRATION_DELAY),
    });
    if (props.sticky) {
      targetGroup.setAttribute('stickiness.enabled', 'true');
      targetGroup.setAttribute('stickiness.type', 'source_ip');
    }
    return { loadBalancer, targetGroup };
  }

  private common(props: LoadBalancerProps) {
    return {
      vpc: props.vpc,
      internetFacing: !props.internal,
      vpcSubnets: { subnetType: props.internal ? SubnetType.PRIVATE_WITH_EGRESS : SubnetType.PUBLIC },
      deletionProtection: !props.unprotectedBecause,
    };
  }

  private recordUnprotectedReason(loadBalancer: BaseLoadBalancer, { unprotectedBecause }: LoadBalancerProps): void {
    if (!unprotectedBecause) return;
    (loadBalancer.node.defaultChild as CfnResource).addMetadata('UnprotectedBecause', unprotectedBecause);
  }

  private addListener(
    props: LoadBalancerProps,
    loadBalancer: ApplicationLoadBalancer,
    targetGroup: ApplicationTargetGroup,
  ): IDependable {
    const common = { open: false, defaultTargetGroups: [targetGroup] };
    const { domainName, hostedZoneId } = props;
    if (!domainName || !hostedZoneId) {
      return loadBalancer.addListener('Http', { ...common, port: 80, protocol: ApplicationProtocol.HTTP });
    }
    const certificate = new Certificate(this, 'Certificate', {
      domainName,
      validation: CertificateValidation.fromDns(
        HostedZone.fromHostedZoneAttributes(this, 'Zone', { hostedZoneId, zoneName: domainName }),
      ),
    });
    if (!props.internal) {
      loadBalancer.addListener('Redirect', {
        open: false,
        port: 80,
        protocol: ApplicationProtocol.HTTP,
        defaultAction: ListenerAction.redirect({ protocol: 'HTTPS', port: '443', permanent: true }),
      });
    }
    return loadBalancer.addListener('Https', {
      ...common,
      port: 443,
      protocol: ApplicationProtocol.HTTPS,
      certificates: [certificate],
    });
  }
}

const HEALTH_CHECK = {
  path: HEALTH_PATH,
  healthyHttpCodes: '200',
  interval: Duration.seconds(HEALTH_INTERVAL),
  timeout: Duration.seconds(HEALTH_TIMEOUT),
  healthyThresholdCount: HEALTH_HEALTHY_COUNT,
  unhealthyThresholdCount: HEALTH_UNHEALTHY_COUNT,
};

function validate({ layer, algorithm, domainName, hostedZoneId }: LoadBalancerProps): void {
  if (!domainName !== !hostedZoneId) {
    throw new Error(`LoadBalancer: domainName (${domainName}) and hostedZoneId (${hostedZoneId}) come together`);
  }
  if (layer !== 4) return;
  if (algorithm) throw new Error(`LoadBalancer: algorithm "${algorithm}" needs layer 7: layer 4 hashes connections`);
  if (domainName) {
    throw new Error(
      `LoadBalancer: domainName "${domainName}" needs layer 7: layer 4 cannot tell the app that HTTPS was used`,
    );
  }
}
