import { Aws, Duration, Fn, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import type { ICertificate } from 'aws-cdk-lib/aws-certificatemanager';
import {
  AllowedMethods,
  type BehaviorOptions,
  CacheCookieBehavior,
  CacheHeaderBehavior,
  CachePolicy,
  CacheQueryStringBehavior,
  Distribution,
  HeadersFrameOption,
  HttpVersion,
  type IOrigin,
  OriginProtocolPolicy,
  OriginRequestPolicy,
  OriginSslPolicy,
  ResponseHeadersPolicy,
  S3OriginAccessControl,
  SecurityPolicyProtocol,
  ViewerProtocolPolicy,
  VpcOrigin,
} from 'aws-cdk-lib/aws-cloudfront';
import { S3BucketOrigin, VpcOrigin as VpcOriginOf } from 'aws-cdk-lib/aws-cloudfront-origins';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { IApplicationLoadBalancer, INetworkLoadBalancer } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import { BlockPublicAccess, Bucket, BucketEncryption, type CfnBucket, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { EDGE_KEEP_ALIVE } from '../constants';

export interface EdgeProps {
  /** Internal load balancer that answers everything dynamic. It must let CloudFront in. */
  readonly loadBalancer: IApplicationLoadBalancer | INetworkLoadBalancer;

  /** ARN of a web ACL of CloudFront's scope, in us-east-1. */
  readonly webAclArn: string;

  /**
   * Name of the site. Comes together with `certificate`; the load balancer must then speak HTTPS under this name.
   *
   * @default - the name that CloudFront gives, and plain HTTP from CloudFront to the load balancer, inside the VPC
   */
  readonly domainName?: string;

  /**
   * Certificate for `domainName`. CloudFront takes those of us-east-1 only.
   *
   * @default - CloudFront's own
   */
  readonly certificate?: ICertificate;

  /**
   * Paths of pages that are everybody's as long as a visitor has no cookie. The origin says by `s-maxage` for how long the
   * edge may hold them, and by `no-store` that it may not.
   *
   * @default - none
   */
  readonly cachedPaths?: readonly string[];

  /**
   * Paths of answers that are everybody's whatever cookies a visitor has.
   *
   * @default - none
   */
  readonly cachedPathsIgnoringCookies?: readonly string[];

  /**
   * Path below which static files are served from the bucket. Their names must carry a hash of their content: they are held
   * for a year, by the edge and by browsers.
   *
   * @default '/assets'
   */
  readonly assetsPath?: string;
}

/** Answers that say "not now" or "not you" must not be held for others; CloudFront holds each for 10 s otherwise. */
const ERRORS = [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504];

/**
 * CloudFront in front of everything: static files from S3, shared pages from the edge for the seconds that the app allows, and
 * the rest from an internal load balancer through a VPC origin, which the internet cannot reach in any other way.
 *
 *     const edge = new Edge(this, 'Edge', { loadBalancer, webAclArn: webAcl.arn, cachedPaths: ['/', '/products/*'] });
 *     edge.url; // https://d111111abcdef8.cloudfront.net
 *
 * The distribution's defaults would break a shop: visitors over plain HTTP, POST refused, cookies and queries dropped, and
 * everything cached for a day. Here a path is dynamic unless it is named: all methods, all headers, cookies and queries
 * reach the app, and nothing is held.
 *
 * Two quirks. CloudFront holds errors for 10 seconds on uncached paths too, under a key without cookies, so one visitor's
 * 404 would be another's; hence a time of 0 for each. And a tag cannot change on a VPC origin in use
 * (https://github.com/aws/aws-cdk/issues/34629), so give the stack no tag that moves.
 *
 * The bucket is filled by the servers: each new release uploads its files before it serves a page that names them, and
 * nothing is removed, so that pages of the release before it stay whole while both run.
 *
 * Billed by requests and traffic; the first TB a month is free.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-vpc-origins.html
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/custom-error-pages-expiration.html
 */
export class Edge extends Construct {
  readonly distribution: Distribution;
  readonly assets: Bucket;
  readonly url: string;
  private readonly logs: Bucket;
  private readonly assetsPath: string;

  constructor(scope: Construct, id: string, props: EdgeProps) {
    super(scope, id);
    validate(props);

    this.assetsPath = props.assetsPath ?? '/assets';
    this.logs = this.makeLogs();
    this.assets = this.makeAssets();
    this.distribution = this.makeDistribution(props);
    this.url = `https://${props.domainName ?? this.distribution.distributionDomainName}`;
  }

  /** Lets a role add static files, below `assetsPath` alone. It can remove none, and what it overwrites is kept as a version. */
  grantPublish(role: Role): void {
    const { assets } = this;
    const files = `${this.assetsPath.slice(1)}/*`;
    role.addToPolicy(new PolicyStatement({ actions: ['s3:PutObject'], resources: [assets.arnForObjects(files)] }));
    role.addToPolicy(new PolicyStatement({ actions: ['s3:ListBucket'], resources: [assets.bucketArn] }));
    const bucket = Stack.of(this).getLogicalId(assets.node.defaultChild as CfnBucket);
    Validations.of(role).acknowledge({
      id: `AwsSolutions-IAM5[Resource::<${bucket}.Arn>/${files}]`,
      reason: 'The names of static files change with each release.',
    });
  }

  /** A metric of `AWS/CloudFront` about this distribution, such as `5xxErrorRate`. CloudWatch keeps it in us-east-1. */
  metric(metricName: string, statistic: string): Metric {
    return new Metric({
      namespace: 'AWS/CloudFront',
      metricName,
      statistic,
      region: 'us-east-1',
      dimensionsMap: { DistributionId: this.distribution.distributionId, Region: 'Global' },
    });
  }

  private makeLogs(): Bucket {
    const logs = new Bucket(this, 'Logs', {
      ...KEPT,
      // CloudFront's standard logs are delivered by an ACL.
      objectOwnership: ObjectOwnership.BUCKET_OWNER_PREFERRED,
      lifecycleRules: [{ expiration: Duration.days(90) }],
    });
    Validations.of(logs).acknowledge({
      id: 'AwsSolutions-S1',
      reason: 'It holds access logs itself; logs of reading logs would have no end.',
    });
    return logs;
  }

  private makeAssets(): Bucket {
    return new Bucket(this, 'Assets', {
      ...KEPT,
      versioned: true,
      serverAccessLogsBucket: this.logs,
      serverAccessLogsPrefix: 'assets/',
    });
  }

  private makeDistribution(props: EdgeProps): Distribution {
    const app = this.makeAppOrigin(props);
    const distribution = new Distribution(this, 'Distribution', {
      comment: Aws.STACK_NAME,
      domainNames: props.domainName ? [props.domainName] : undefined,
      certificate: props.certificate,
      minimumProtocolVersion: props.certificate ? SecurityPolicyProtocol.TLS_V1_2_2021 : undefined,
      httpVersion: HttpVersion.HTTP2_AND_3,
      enableIpv6: true,
      webAclId: props.webAclArn,
      enableLogging: true,
      logBucket: this.logs,
      logFilePrefix: 'edge/',
      errorResponses: ERRORS.map((httpStatus) => ({ httpStatus, ttl: Duration.seconds(0) })),
      defaultBehavior: appBehavior(app, CachePolicy.CACHING_DISABLED),
      additionalBehaviors: {
        [`${this.assetsPath}/*`]: this.assetsBehavior(),
        ...this.cachedBehaviors(app, 'SharedPages', CacheCookieBehavior.all(), props.cachedPaths),
        ...this.cachedBehaviors(app, 'SharedAnswers', CacheCookieBehavior.none(), props.cachedPathsIgnoringCookies),
      },
    });
    Validations.of(distribution).acknowledge({
      id: 'AwsSolutions-CFR1',
      reason: 'The shop sells to every country.',
    });
    if (!props.certificate) {
      Validations.of(distribution).acknowledge({
        id: 'AwsSolutions-CFR4',
        reason: "Under CloudFront's own name its certificate sets the protocols; with a domain it is TLS 1.2 at least.",
      });
    }
    return distribution;
  }

  private makeAppOrigin(props: EdgeProps): IOrigin {
    const origin = new VpcOrigin(this, 'VpcOrigin', {
      endpoint: {
        endpointArn: props.loadBalancer.loadBalancerArn,
        domainName: props.loadBalancer.loadBalancerDnsName,
      },
      // CDK would name it after the construct path, in which the stack's id stands.
      vpcOriginName: `app-${stackUuid()}`,
      protocolPolicy: props.domainName ? OriginProtocolPolicy.HTTPS_ONLY : OriginProtocolPolicy.HTTP_ONLY,
      originSslProtocols: [OriginSslPolicy.TLS_V1_2],
    });
    return VpcOriginOf.withVpcOrigin(origin, {
      originId: 'app',
      domainName: props.loadBalancer.loadBalancerDnsName,
      keepaliveTimeout: Duration.seconds(EDGE_KEEP_ALIVE),
      readTimeout: Duration.seconds(30),
    });
  }

  private assetsBehavior(): BehaviorOptions {
    return {
      origin: S3BucketOrigin.withOriginAccessControl(this.assets, {
        originId: 'assets',
        originAccessControl: new S3OriginAccessControl(this, 'AssetsAccess', {
          originAccessControlName: `assets-${stackUuid()}`,
        }),
      }),
      viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
      cachePolicy: CachePolicy.CACHING_OPTIMIZED,
      responseHeadersPolicy: new ResponseHeadersPolicy(this, 'AssetHeaders', {
        responseHeadersPolicyName: `assets-${stackUuid()}`,
        securityHeadersBehavior: {
          contentTypeOptions: { override: true },
          frameOptions: { frameOption: HeadersFrameOption.DENY, override: true },
          strictTransportSecurity: { accessControlMaxAge: Duration.days(365), override: true },
        },
        customHeadersBehavior: {
          customHeaders: [{ header: 'cache-control', value: 'public, max-age=31536000, immutable', override: true }],
        },
      }),
      compress: true,
    };
  }

  private cachedBehaviors(
    app: IOrigin,
    id: string,
    cookieBehavior: CacheCookieBehavior,
    paths: readonly string[] = [],
  ): Record<string, BehaviorOptions> {
    if (paths.length === 0) return {};
    const policy = new CachePolicy(this, id, {
      cachePolicyName: `${id}-${stackUuid()}`,
      // The origin's word alone counts: without one, nothing is held.
      minTtl: Duration.seconds(0),
      defaultTtl: Duration.seconds(0),
      maxTtl: Duration.minutes(1),
      cookieBehavior,
      queryStringBehavior: CacheQueryStringBehavior.all(),
      headerBehavior: CacheHeaderBehavior.none(),
      enableAcceptEncodingBrotli: true,
      enableAcceptEncodingGzip: true,
    });
    return Object.fromEntries(paths.map((path) => [path, appBehavior(app, policy)]));
  }
}

const KEPT = {
  encryption: BucketEncryption.S3_MANAGED,
  blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
  enforceSSL: true,
  removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
};

/** With the visitor's `Host`: the app compares it with the origin of forms, and makes links of it. */
function appBehavior(origin: IOrigin, cachePolicy: BehaviorOptions['cachePolicy']): BehaviorOptions {
  return {
    origin,
    cachePolicy,
    originRequestPolicy: OriginRequestPolicy.ALL_VIEWER,
    allowedMethods: AllowedMethods.ALLOW_ALL,
    viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
    compress: true,
  };
}

/** CDK would name policies after the construct path; this name is the stack's own, and does not move with the phase. */
function stackUuid(): string {
  return Fn.select(2, Fn.split('/', Aws.STACK_ID));
}

function validate(props: EdgeProps): void {
  if (!props.domainName !== !props.certificate) {
    throw new Error(`Edge: domainName (${props.domainName}) and certificate (${props.certificate}) come together`);
  }
  const { assetsPath = '/assets' } = props;
  if (!/^(\/[\w-]+)+$/.test(assetsPath)) {
    throw new Error(`Edge: assetsPath "${assetsPath}" must begin with a slash and not end with one`);
  }
  for (const path of [...(props.cachedPaths ?? []), ...(props.cachedPathsIgnoringCookies ?? [])]) {
    if (!/^\/[\w*/?-]*$/.test(path)) throw new Error(`Edge: path "${path}" must be a path pattern such as /products/*`);
  }
}
