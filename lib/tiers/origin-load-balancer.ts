import { Aws, Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import type { ICertificate } from 'aws-cdk-lib/aws-certificatemanager';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import {
  CfnSecurityGroupEgress,
  CfnSecurityGroupIngress,
  type IConnectable,
  type IPeer,
  type IVpc,
  Port,
  SecurityGroup,
  SubnetType,
} from 'aws-cdk-lib/aws-ec2';
import {
  ApplicationLoadBalancer,
  ApplicationProtocol,
  ApplicationTargetGroup,
  DesyncMitigationMode,
  SslPolicy,
  TargetGroupLoadBalancingAlgorithmType,
  TargetType,
} from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { BlockPublicAccess, Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3';
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

export interface OriginLoadBalancerProps {
  /** VPC with private subnets and, for CloudFront, an internet gateway. */
  readonly vpc: IVpc;

  /** Who may connect: CloudFront. */
  readonly clients: IPeer;

  /**
   * Certificate of the site's name, in the region of the load balancer.
   *
   * @default - plain HTTP inside the VPC: nobody certifies a load balancer's own name
   */
  readonly certificate?: ICertificate;
}

/**
 * An internal application load balancer as the origin of a CDN: without a public address, and for CloudFront alone.
 *
 *     const { peer } = new CloudFrontPrefixList(this, 'CloudFront');
 *     const origin = new OriginLoadBalancer(this, 'Origin', { vpc: network.vpc, clients: peer });
 *     new Fleet(this, 'Fleet', { targetGroupArn: origin.targetGroup.targetGroupArn, ... });
 *
 * Requests go to the server with the fewest in flight: servers of unequal types, as spot brings them, get what they can do.
 *
 * A public load balancer cannot become an internal one: CloudFormation would replace it and fail, because its target group
 * cannot belong to two. So this is another load balancer with another target group, and the public one goes when nothing
 * asks it any more (https://github.com/aws/aws-cdk/issues/33253).
 *
 * There is one listener, for HTTPS with a certificate and else for HTTP: CloudFront's addresses fill a security group.
 */
export class OriginLoadBalancer extends Construct {
  readonly loadBalancer: ApplicationLoadBalancer;
  readonly targetGroup: ApplicationTargetGroup;
  /** What scaling on requests calls the two: `app/name/id/targetgroup/name/id`. */
  readonly resourceLabel: string;
  private readonly securityGroup: SecurityGroup;

  constructor(scope: Construct, id: string, props: OriginLoadBalancerProps) {
    super(scope, id);

    this.securityGroup = new SecurityGroup(this, 'SecurityGroup', {
      vpc: props.vpc,
      description: 'The load balancer: CloudFront in, servers out',
      allowAllOutbound: false,
    });
    this.securityGroup.addIngressRule(props.clients, Port.tcp(props.certificate ? 443 : 80), 'CloudFront');
    this.loadBalancer = this.makeLoadBalancer(props.vpc);
    this.recordRequests();
    this.targetGroup = this.makeTargetGroup(props.vpc);
    this.loadBalancer.addListener('Listener', {
      ...(props.certificate
        ? { protocol: ApplicationProtocol.HTTPS, certificates: [props.certificate], sslPolicy: SslPolicy.TLS13_RES }
        : { protocol: ApplicationProtocol.HTTP }),
      open: false,
      defaultTargetGroups: [this.targetGroup],
    });
    this.resourceLabel = `${this.loadBalancer.loadBalancerFullName}/${this.targetGroup.targetGroupFullName}`;
  }

  /**
   * Lets the load balancer reach servers.
   *
   * @param id what they are called in the ids of the two rules
   * @returns what to wait for before they can be healthy
   */
  allowTo(id: string, servers: IConnectable, description: string): IDependable {
    const way = new Construct(this, `To${id}`);
    const serversGroupId = servers.connections.securityGroups[0]?.securityGroupId;
    if (!serversGroupId) throw new Error(`OriginLoadBalancer: the servers ${id} have no security group`);
    const { securityGroupId } = this.securityGroup;
    const port = { ipProtocol: 'tcp', fromPort: APP_PORT, toPort: APP_PORT, description };
    new CfnSecurityGroupIngress(way, 'Ingress', {
      ...port,
      groupId: serversGroupId,
      sourceSecurityGroupId: securityGroupId,
    });
    new CfnSecurityGroupEgress(way, 'Egress', {
      ...port,
      groupId: securityGroupId,
      destinationSecurityGroupId: serversGroupId,
    });
    way.node.addDependency(this.loadBalancer);
    return way;
  }

  /** A metric of `AWS/ApplicationELB` about the load balancer, such as `HTTPCode_ELB_5XX_Count`. */
  metric(metricName: string, statistic: string): Metric {
    return new Metric({
      namespace: 'AWS/ApplicationELB',
      metricName,
      statistic,
      dimensionsMap: { LoadBalancer: this.loadBalancer.loadBalancerFullName },
    });
  }

  /** The same about its targets, such as `UnHealthyHostCount`. */
  metricTargets(metricName: string, statistic: string): Metric {
    return new Metric({
      namespace: 'AWS/ApplicationELB',
      metricName,
      statistic,
      dimensionsMap: {
        LoadBalancer: this.loadBalancer.loadBalancerFullName,
        TargetGroup: this.targetGroup.targetGroupFullName,
      },
    });
  }

  private makeLoadBalancer(vpc: IVpc): ApplicationLoadBalancer {
    return new ApplicationLoadBalancer(this, 'LoadBalancer', {
      vpc,
      vpcSubnets: { subnetType: SubnetType.PRIVATE_WITH_EGRESS },
      internetFacing: false,
      securityGroup: this.securityGroup,
      idleTimeout: Duration.seconds(ALB_IDLE),
      dropInvalidHeaderFields: true,
      desyncMitigationMode: DesyncMitigationMode.STRICTEST,
      deletionProtection: true,
    });
  }

  /** `logAccessLogs` wants to know the region (https://github.com/aws/aws-cdk/issues/27432); the service's principal does not. */
  private recordRequests(): void {
    const logs = new Bucket(this, 'Logs', {
      // The only kind of encryption that the load balancer's logs can have.
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      lifecycleRules: [{ expiration: Duration.days(90) }],
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    logs.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('logdelivery.elasticloadbalancing.amazonaws.com')],
        actions: ['s3:PutObject'],
        resources: [logs.arnForObjects(`AWSLogs/${Aws.ACCOUNT_ID}/*`)],
      }),
    );
    this.loadBalancer.setAttribute('access_logs.s3.enabled', 'true');
    this.loadBalancer.setAttribute('access_logs.s3.bucket', logs.bucketName);
    // It writes a trial file when logging is switched on.
    if (logs.policy) this.loadBalancer.node.addDependency(logs.policy);
    Validations.of(logs).acknowledge({
      id: 'AwsSolutions-S1',
      reason: 'It holds access logs itself; logs of reading logs would have no end.',
    });
    Validations.of(this.loadBalancer).acknowledge({
      id: 'AwsSolutions-ELB2',
      reason: 'Access logs are on: the rule looks for the bucket by a name, and this one has none that is fixed.',
    });
  }

  private makeTargetGroup(vpc: IVpc): ApplicationTargetGroup {
    return new ApplicationTargetGroup(this, 'Targets', {
      vpc,
      port: APP_PORT,
      protocol: ApplicationProtocol.HTTP,
      targetType: TargetType.INSTANCE,
      loadBalancingAlgorithmType: TargetGroupLoadBalancingAlgorithmType.LEAST_OUTSTANDING_REQUESTS,
      deregistrationDelay: Duration.seconds(DEREGISTRATION_DELAY),
      healthCheck: {
        path: HEALTH_PATH,
        interval: Duration.seconds(HEALTH_INTERVAL),
        timeout: Duration.seconds(HEALTH_TIMEOUT),
        healthyThresholdCount: HEALTH_HEALTHY_COUNT,
        unhealthyThresholdCount: HEALTH_UNHEALTHY_COUNT,
        healthyHttpCodes: '200',
      },
    });
  }
}
