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
import { EDGE_KEEP_ALIVE, EDGE_STALE } from '../constants';

export interface EdgeProps {
  /** Internal load balancer, the origin of all dynamic paths. Its security group must allow CloudFront. */
  readonly loadBalancer: IApplicationLoadBalancer | INetworkLoadBalancer;

  /** ARN of a web ACL with scope `CLOUDFRONT`, from us-east-1. */
  readonly webAclArn: string;

  /**
   * Domain name of the site. Requires `certificate`, and a load balancer that serves HTTPS under this name.
   *
   * @default - the distribution's domain name, and plain HTTP from CloudFront to the load balancer inside the VPC
   */
  readonly domainName?: string;

  /**
   * Certificate for `domainName`. CloudFront accepts certificates from us-east-1 only.
   *
   * @default - CloudFront's default certificate
   */
  readonly certificate?: ICertificate;

  /**
   * Path patterns of pages to cache with all cookies in the cache key, so that requests without cookies share one copy. The
   * origin controls caching by `s-maxage` and `no-store`.
   *
   * @default - none
   */
  readonly cachedPaths?: readonly string[];

  /**
   * Path patterns of responses to cache for all viewers, for at least a second. Of a request, the origin gets only the path, the
   * query string and the `Host` header: without cookies, CloudFront collapses concurrent requests for a path into one.
   *
   * @default - none
   */
  readonly cachedPathsIgnoringCookies?: readonly string[];

  /**
   * Path prefix of static files in the bucket. Their names must contain a content hash, because CloudFront and browsers cache
   * them for a year.
   *
   * @default '/assets'
   */
  readonly assetsPath?: string;
}

/** Status codes that CloudFront caches for 10 s by default. A user's error must not be served to others. */
const ERRORS = [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504];

/**
 * A CloudFront distribution: static files from S3, cached pages for as long as the app allows, and all other paths from an
 * internal load balancer through a VPC origin. The load balancer has no other public entry point.
 *
 *     const edge = new Edge(this, 'Edge', { loadBalancer, webAclArn: webAcl.arn, cachedPaths: ['/', '/products/*'] });
 *     edge.url; // https://d111111abcdef8.cloudfront.net
 *
 * The defaults of a distribution would break a shop: plain HTTP, no POST, no cookies or query strings, and a TTL of one day.
 * Here a path is dynamic unless it is listed: all methods, headers, cookies and query strings reach the app, and nothing is
 * cached.
 *
 * Quirks: CloudFront caches errors for 10 seconds even on uncached paths, with a cache key without cookies, so one user's 404
 * would be served to others. The error caching minimum TTL is therefore 0. And tags of a VPC origin in use cannot change
 * (https://github.com/aws/aws-cdk/issues/34629), so avoid stack tags whose values change.
 *
 * The servers fill the bucket: each release uploads its files before it serves a page that references them. Nothing is
 * deleted, so pages of the previous release keep working while both run.
 *
 * Billed by requests and data transfer. The first TB a month is free.
 *
 * Fixed cost: none; billed by usage (`npm run cost -- phase-4 --rps 100`).
 *
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-vpc-origins.html
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/custom-error-pages-expiration.html
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/RequestAndResponseBehaviorCustomOrigin.html#request-custom-traffic-spikes
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

  /** Grants permission to upload static files below `assetsPath`. It does not include deletes, and the bucket is versioned. */
  grantPublish(role: Role): void {
    const { assets } = this;
    const files = `${this.assetsPath.slice(1)}/*`;
    role.addToPolicy(new PolicyStatement({ actions: ['s3:PutObject'], resources: [assets.arnForObjects(files)] }));
    role.addToPolicy(new PolicyStatement({ actions: ['s3:ListBucket'], resources: [assets.bucketArn] }));
    const bucket = Stack.of(this).getLogicalId(assets.node.defaultChild as CfnBucket);
    Validations.of(role).acknowledge({
      id: `AwsSolutions-IAM5[Resource::<${bucket}.Arn>/${files}]`,
      reason: 'The names of static files change with every release.',
    });
  }

  /** Returns an `AWS/CloudFront` metric of the distribution, such as `5xxErrorRate`. It is published in us-east-1 only. */
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
      // CloudFront delivers standard logs with an ACL grant.
      objectOwnership: ObjectOwnership.BUCKET_OWNER_PREFERRED,
      lifecycleRules: [{ expiration: Duration.days(90) }],
    });
    Validations.of(logs).acknowledge({
      id: 'AwsSolutions-S1',
      reason: 'This bucket stores access logs. Logging access to it would be recursive.',
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
        ...this.cachedBehaviors(app, 'SharedPages', BY_COOKIES, props.cachedPaths),
        ...this.cachedBehaviors(app, 'SharedAnswers', WITHOUT_COOKIES, props.cachedPathsIgnoringCookies),
      },
    });
    Validations.of(distribution).acknowledge({
      id: 'AwsSolutions-CFR1',
      reason: 'The shop sells to all countries.',
    });
    if (!props.certificate) {
      Validations.of(distribution).acknowledge({
        id: 'AwsSolutions-CFR4',
        reason: "CloudFront's default certificate fixes the TLS versions. With a domain the minimum is TLS 1.2.",
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
      // CDK's default name contains the construct path and so the stack's id.
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
    { originRequestPolicy, ...cookies }: typeof BY_COOKIES,
    paths: readonly string[] = [],
  ): Record<string, BehaviorOptions> {
    if (paths.length === 0) return {};
    const cachePolicy = new CachePolicy(this, id, {
      ...cookies,
      cachePolicyName: `${id}-${stackUuid()}`,
      defaultTtl: Duration.seconds(0),
      maxTtl: Duration.seconds(EDGE_STALE),
      queryStringBehavior: CacheQueryStringBehavior.all(),
      headerBehavior: CacheHeaderBehavior.none(),
      enableAcceptEncodingBrotli: true,
      enableAcceptEncodingGzip: true,
    });
    return Object.fromEntries(paths.map((path) => [path, { ...appBehavior(app, cachePolicy), originRequestPolicy }]));
  }
}

/** Cached only when the origin sends a TTL. */
const BY_COOKIES = {
  minTtl: Duration.seconds(0),
  cookieBehavior: CacheCookieBehavior.all(),
  originRequestPolicy: OriginRequestPolicy.ALL_VIEWER,
};

/**
 * CloudFront collapses concurrent requests only if no cookies are forwarded and the minimum TTL is not 0.
 *
 * @see https://repost.aws/articles/ARTocYphbwQnWtTz8FXrwqew/ddos-resilience-with-http-caching-on-cloudfront
 */
const WITHOUT_COOKIES = {
  minTtl: Duration.seconds(1),
  cookieBehavior: CacheCookieBehavior.none(),
  originRequestPolicy: OriginRequestPolicy.HOST_HEADER_ONLY,
};

const KEPT = {
  encryption: BucketEncryption.S3_MANAGED,
  blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
  enforceSSL: true,
  removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
};

/** Forwards the viewer's `Host`: the app compares it with the `Origin` of forms and builds links with it. */
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

/** UUID of the stack, for names. CDK's default names contain the construct path, which would replace policies on a rename. */
function stackUuid(): string {
  return Fn.select(2, Fn.split('/', Aws.STACK_ID));
}

function validate(props: EdgeProps): void {
  if (!props.domainName !== !props.certificate) {
    throw new Error(
      `Edge: domainName and certificate must be set together, got domainName ${props.domainName} and ` +
        `certificate ${props.certificate?.certificateArn}.`,
    );
  }
  const { assetsPath = '/assets' } = props;
  if (!/^(\/[\w-]+)+$/.test(assetsPath)) {
    throw new Error(`Edge: assetsPath must start with a slash and not end with one, got "${assetsPath}".`);
  }
  for (const path of [...(props.cachedPaths ?? []), ...(props.cachedPathsIgnoringCookies ?? [])]) {
    if (!/^\/[\w*/?-]*$/.test(path)) {
      throw new Error(`Edge: cached paths must be path patterns such as /products/*, got "${path}".`);
    }
  }
}
