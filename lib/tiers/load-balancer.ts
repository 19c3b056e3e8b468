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
  /** VPC with public subnets (private ones for `internal`) in at least two availability zones. */
  readonly vpc: IVpc;

  /**
   * 7 for an Application Load Balancer, 4 for a Network Load Balancer. Layer 4 balances TCP connections: no HTTPS, redirect,
   * algorithm or access logs.
   *
   * @default 7
   */
  readonly layer?: 4 | 7;

  /**
   * Routing algorithm of layer 7. Least outstanding requests suits servers of different speed, round robin equal servers.
   *
   * @default 'least-outstanding-requests'
   */
  readonly algorithm?: 'round-robin' | 'least-outstanding-requests';

  /**
   * Sticky sessions: a load balancer cookie for one day on layer 7, the source IP on layer 4. An app that depends on them
   * loses a server's sessions when that server terminates.
   *
   * @default false
   */
  readonly sticky?: boolean;

  /**
   * Domain name of the site, for HTTPS. Requires `hostedZoneId`.
   *
   * @default - plain HTTP
   */
  readonly domainName?: string;

  /**
   * Id of the public Route 53 hosted zone of `domainName`. It also validates the certificate.
   *
   * @default - none
   */
  readonly hostedZoneId?: string;

  /**
   * Whether the load balancer is internal. It then allows no inbound traffic until you add rules to `securityGroup`.
   *
   * @default false
   */
  readonly internal?: boolean;

  /**
   * Reason to turn deletion protection off, recorded in the template's metadata.
   *
   * @default - deletion protection is on
   */
  readonly unprotectedBecause?: string;
}

/**
 * A load balancer over all availability zones, with its target group.
 *
 *     const balancer = new LoadBalancer(this, 'LoadBalancer', { vpc: network.vpc, domainName, hostedZoneId });
 *     const fleet = new Fleet(this, 'Fleet', { targetGroupArn: balancer.targetGroupArn, ... });
 *     fleet.addLaunchDependency(balancer.allowTo('Fleet', fleet, 'The servers'));
 *
 * Layer 7 drops invalid header fields, rejects ambiguous requests (desync mitigation `strictest`), and keeps access logs in
 * S3 for 90 days. A server receives requests while `HEALTH_PATH` returns 200. When all targets are unhealthy, the load
 * balancer fails open and routes to all of them.
 *
 * Health checks must not depend on shared resources. Otherwise a slow database makes all servers unhealthy at once, and Auto
 * Scaling replaces the whole fleet.
 *
 * CDK's `logAccessLogs` fails in an environment-agnostic stack (https://github.com/aws/aws-cdk/issues/27432). The bucket
 * policy here names the log delivery service principal, which is the same in every region. Access logs support SSE-S3 only.
 *
 * Fixed cost: $27 a month in phase 3 (`LoadBalancer`), $16 in phase 4 (`InternalLoadBalancer`), plus usage (us-east-1,
 * prices of 2024-07; `npm run cost -- phase-4`).
 */
export class LoadBalancer extends Construct implements IConnectable {
  readonly loadBalancer: ApplicationLoadBalancer | NetworkLoadBalancer;
  readonly targetGroup: ApplicationTargetGroup | NetworkTargetGroup;
  readonly securityGroup: SecurityGroup;
  readonly connections: Connections;
  /** Bucket of the access logs. Undefined on layer 4. */
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
   * Allows traffic to the servers on `APP_PORT`. Unlike `connections.allowTo`, it creates rules whose ids do not contain the
   * stack's id.
   *
   * @param id part of the construct ids of the two rules
   * @returns dependency of the servers: they cannot become healthy before the rules and the listener exist
   */
  allowTo(id: string, servers: IConnectable, description: string): IDependable {
    const rules = new Construct(this, `To${id}`);
    const serverGroupId = servers.connections.securityGroups[0]?.securityGroupId;
    if (!serverGroupId) throw new Error(`LoadBalancer: servers of ${id} must have a security group, got none.`);
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
    // A target stays "unused" and never becomes healthy until a listener uses its target group.
    rules.node.addDependency(this.listener);
    return rules;
  }

  /** Returns a metric of the load balancer, such as `HTTPCode_ELB_5XX_Count` on layer 7. */
  metric(metricName: string, statistic: string): Metric {
    return this.metricOf(metricName, statistic, { LoadBalancer: this.loadBalancer.loadBalancerFullName });
  }

  /** Returns a metric of the target group, such as `UnHealthyHostCount`. */
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
      reason: 'The site is public. Only its web ports are open.',
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
      reason: 'This bucket stores access logs. Logging access to it would be recursive.',
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
    // ELB writes a test object when access logs are enabled, so the bucket policy must exist first.
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
      reason: 'A Network Load Balancer logs TLS listeners only. The VPC flow log covers its connections.',
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
    throw new Error(
      `LoadBalancer: domainName and hostedZoneId must be set together, got domainName ${domainName} and ` +
        `hostedZoneId ${hostedZoneId}.`,
    );
  }
  if (layer !== 4) return;
  if (algorithm) {
    throw new Error(
      `LoadBalancer: algorithm must be unset on layer 4, got "${algorithm}". Choose layer 7, because layer 4 uses a flow hash.`,
    );
  }
  if (domainName) {
    throw new Error(
      `LoadBalancer: domainName must be unset on layer 4, got "${domainName}". Choose layer 7, because layer 4 sends no ` +
        'X-Forwarded-Proto header.',
    );
  }
}
