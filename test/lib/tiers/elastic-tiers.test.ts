import { Duration, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { Alarm, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { ALB_IDLE, APP_KEEP_ALIVE, EDGE_KEEP_ALIVE, EDGE_STALE } from '../../../lib/constants';
import { BacklogScaling } from '../../../lib/tiers/backlog-scaling';
import { Backup } from '../../../lib/tiers/backup';
import { CloudFrontPrefixList } from '../../../lib/tiers/cloudfront-prefix-list';
import { Database } from '../../../lib/tiers/database';
import { DatabaseProxy, type DatabaseProxyProps } from '../../../lib/tiers/database-proxy';
import { Edge, type EdgeProps } from '../../../lib/tiers/edge';
import { FaultDrills, type FaultDrillsProps } from '../../../lib/tiers/fault-drills';
import { JobQueue, type JobQueueProps } from '../../../lib/tiers/job-queue';
import { LoadBalancer } from '../../../lib/tiers/load-balancer';
import { Network } from '../../../lib/tiers/network';
import { RestoreTesting } from '../../../lib/tiers/restore-testing';
import { Scaling, type ScalingProps } from '../../../lib/tiers/scaling';
import { StateKey } from '../../../lib/tiers/state-key';
import { WebAcl, type WebAclProps } from '../../../lib/tiers/web-acl';
import { makeStack, templateOf } from '../../support/stack';
import { resourcesOf } from '../../support/templates';

describe('Edge', () => {
  const make = (props: Partial<EdgeProps> = {}) => {
    const stack = makeStack();
    const { vpc } = new Network(stack, 'Network');
    const certificate = props.domainName
      ? Certificate.fromCertificateArn(stack, 'Cert', 'arn:aws:acm:us-east-1:123456789012:certificate/1')
      : undefined;
    const { loadBalancer } = new LoadBalancer(stack, 'Origin', { vpc, internal: true });
    const edge = new Edge(stack, 'Edge', {
      loadBalancer,
      webAclArn: 'arn:aws:wafv2:us-east-1:123456789012:global/webacl/acl/1',
      certificate,
      cachedPaths: ['/', '/products/*'],
      cachedPathsIgnoringCookies: ['/api/products*'],
      ...props,
    });
    return { stack, edge, template: templateOf(stack) };
  };
  const { template } = make();
  const config = Object.values(resourcesOf(template, 'AWS::CloudFront::Distribution'))[0].Properties.DistributionConfig;
  const behavior = (path: string) =>
    // biome-ignore lint/suspicious/noExplicitAny: properties of a template
    config.CacheBehaviors.find((one: any) => one.PathPattern === path);
  const CACHING_DISABLED = '4135ea2d-6df8-44a3-9df3-4b5a84be39ad';
  const ALL_VIEWER = '216adef6-5c7f-47e4-b989-5492eafa07d3';
  const HOST_HEADER_ONLY = 'bf0718e1-ba1e-49d1-88b1-f726733018ae';

  test('forwards all other paths to the app uncached, with all methods, cookies, query strings and headers', () => {
    expect(config.DefaultCacheBehavior).toMatchObject({
      AllowedMethods: ['GET', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'POST', 'DELETE'],
      CachePolicyId: CACHING_DISABLED,
      OriginRequestPolicyId: ALL_VIEWER,
    });
  });

  test('redirects viewers to HTTPS on every path', () => {
    for (const one of [config.DefaultCacheBehavior, ...config.CacheBehaviors]) {
      expect(one).toMatchObject({ ViewerProtocolPolicy: 'redirect-to-https', Compress: true });
    }
    expect(config).toMatchObject({ HttpVersion: 'http2and3', IPV6Enabled: true, WebACLId: expect.any(String) });
  });

  const policyOf = (path: string) => {
    const { Ref } = behavior(path).CachePolicyId;
    return template.Resources[Ref].Properties.CachePolicyConfig;
  };

  test('caches pages by cookie and catalog responses without cookies, for the TTL of the origin', () => {
    const pages = policyOf('/products/*');
    expect(pages).toMatchObject({ MinTTL: 0, DefaultTTL: 0 });
    const key = 'ParametersInCacheKeyAndForwardedToOrigin';
    expect(pages[key]).toMatchObject({
      CookiesConfig: { CookieBehavior: 'all' },
      QueryStringsConfig: { QueryStringBehavior: 'all' },
    });
    expect(policyOf('/')).toEqual(pages);
    expect(policyOf('/api/products*')[key].CookiesConfig).toEqual({ CookieBehavior: 'none' });
    expect(behavior('/').OriginRequestPolicyId).toBe(ALL_VIEWER);
  });

  test('can collapse concurrent requests for catalog responses: no cookies are forwarded, and the minimum TTL is not 0', () => {
    expect(behavior('/api/products*').OriginRequestPolicyId).toBe(HOST_HEADER_ONLY);
    const { MinTTL, ParametersInCacheKeyAndForwardedToOrigin } = policyOf('/api/products*');
    expect(MinTTL).toBe(1);
    expect(ParametersInCacheKeyAndForwardedToOrigin).toMatchObject({
      CookiesConfig: { CookieBehavior: 'none' },
      QueryStringsConfig: { QueryStringBehavior: 'all' },
    });
  });

  test('serves stale responses for as long as the app allows', () => {
    for (const path of ['/', '/products/*', '/api/products*']) expect(policyOf(path).MaxTTL).toBe(EDGE_STALE);
  });

  test('caches no error responses, so that an error of one user is never served to another', () => {
    const responses = config.CustomErrorResponses;
    // biome-ignore lint/suspicious/noExplicitAny: properties of a template
    expect(responses.map((one: any) => one.ErrorCode)).toEqual([400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504]);
    // biome-ignore lint/suspicious/noExplicitAny: properties of a template
    expect(responses.every((one: any) => one.ErrorCachingMinTTL === 0)).toBe(true);
  });

  test('serves static files for a year from a private bucket that only this distribution can read', () => {
    const assets = behavior('/assets/*');
    const origin = config.Origins.find(({ Id }: { Id: string }) => Id === assets.TargetOriginId);
    expect(origin.OriginAccessControlId).toBeDefined();
    const headers = template.Resources[assets.ResponseHeadersPolicyId.Ref].Properties.ResponseHeadersPolicyConfig;
    expect(headers.CustomHeadersConfig.Items).toEqual([
      { Header: 'cache-control', Value: 'public, max-age=31536000, immutable', Override: true },
    ]);
    const readers = Object.values(resourcesOf(template, 'AWS::S3::BucketPolicy')).flatMap(({ Properties }) =>
      Properties.PolicyDocument.Statement.filter(({ Action }: { Action: string }) => Action === 's3:GetObject'),
    );
    expect(readers).toHaveLength(1);
    expect(readers[0].Principal).toEqual({ Service: 'cloudfront.amazonaws.com' });
    expect(JSON.stringify(readers[0].Condition)).toContain('AWS:SourceArn');
    for (const bucket of Object.values(resourcesOf(template, 'AWS::S3::Bucket'))) {
      expect(Object.values(bucket.Properties.PublicAccessBlockConfiguration)).toEqual([true, true, true, true]);
      expect(bucket.DeletionPolicy).toBe('RetainExceptOnCreate');
    }
  });

  test('connects to the internal load balancer through a VPC origin, with HTTPS if there is a domain and HTTP otherwise', () => {
    const protocolOf = (of: typeof template) =>
      Object.values(resourcesOf(of, 'AWS::CloudFront::VpcOrigin'))[0].Properties.VpcOriginEndpointConfig;
    expect(protocolOf(template).OriginProtocolPolicy).toBe('http-only');
    const secure = make({ domainName: 'shop.example.com' });
    expect(protocolOf(secure.template)).toMatchObject({
      OriginProtocolPolicy: 'https-only',
      OriginSSLProtocols: ['TLSv1.2'],
    });
    expect(secure.edge.url).toBe('https://shop.example.com');
    const [distribution] = Object.values(resourcesOf(secure.template, 'AWS::CloudFront::Distribution'));
    expect(distribution.Properties.DistributionConfig).toMatchObject({
      Aliases: ['shop.example.com'],
      ViewerCertificate: { MinimumProtocolVersion: 'TLSv1.2_2021' },
    });
  });

  test('closes idle connections before the load balancer, and the load balancer before the app', () => {
    const appOrigin = config.Origins.find(({ VpcOriginConfig }: { VpcOriginConfig?: object }) => VpcOriginConfig);
    expect(appOrigin.VpcOriginConfig.OriginKeepaliveTimeout).toBe(EDGE_KEEP_ALIVE);
    expect(EDGE_KEEP_ALIVE).toBeLessThan(ALB_IDLE);
    expect(ALB_IDLE).toBeLessThan(APP_KEEP_ALIVE);
  });

  test('logs every request', () => {
    expect(config.Logging).toMatchObject({ Prefix: 'edge/', Bucket: expect.anything() });
  });

  test.each<[Partial<EdgeProps>, string]>([
    [{ assetsPath: '/assets/' }, 'assetsPath must start with a slash and not end with one, got "/assets/".'],
    [{ cachedPaths: ['products'] }, 'cached paths must be path patterns such as /products/*, got "products".'],
    [
      { domainName: 'shop.example.com', certificate: undefined },
      'domainName and certificate must be set together, got domainName shop.example.com and certificate undefined.',
    ],
  ])('rejects %j', (props, message) => {
    expect(() => make(props)).toThrow(message);
  });
});

describe('WebAcl', () => {
  const make = (props: WebAclProps = {}) => {
    const stack = makeStack();
    new WebAcl(stack, 'WebAcl', props);
    return Template.fromStack(stack);
  };

  test('applies rate limits per IP address, stricter for POST to login and signup, before the managed rules', () => {
    const [acl] = Object.values(make().findResources('AWS::WAFv2::WebACL'));
    expect(acl?.Properties).toMatchObject({ Scope: 'CLOUDFRONT', DefaultAction: { Allow: {} } });
    const rules = acl?.Properties.Rules;
    // biome-ignore lint/suspicious/noExplicitAny: properties of a template
    expect(rules.map((rule: any) => [rule.Priority, rule.Name])).toEqual([
      [0, 'guarded-paths'],
      [1, 'requests-per-address'],
      [2, 'AWSManagedRulesAmazonIpReputationList'],
      [3, 'AWSManagedRulesCommonRuleSet'],
      [4, 'AWSManagedRulesKnownBadInputsRuleSet'],
    ]);
    expect(rules[0].Statement.RateBasedStatement.Limit).toBe(100);
    expect(JSON.stringify(rules[0].Statement.RateBasedStatement.ScopeDownStatement)).toMatch(/POST.*\/login.*\/signup/);
    expect(rules[1].Statement.RateBasedStatement).toMatchObject({ AggregateKeyType: 'IP', Limit: 3000 });
  });

  test.each<[WebAclProps, string]>([
    [{ rateLimit: 9 }, 'rateLimit must be a whole number from 10 to 2000000000, got 9.'],
    [{ guardedPaths: [] }, 'guardedPaths must contain at least one path, got [].'],
  ])('rejects %j', (props, message) => {
    expect(() => make(props)).toThrow(message);
  });
});

describe('JobQueue', () => {
  const make = (props: Partial<JobQueueProps> = {}) => {
    const stack = makeStack();
    new JobQueue(stack, 'Jobs', { encryptionKey: new StateKey(stack, 'StateKey').key, ...props });
    return Template.fromStack(stack);
  };

  test('moves a message to the dead-letter queue after five receives, and encrypts and retains both queues', () => {
    const template = make();
    template.hasResourceProperties('AWS::SQS::Queue', {
      RedrivePolicy: { maxReceiveCount: 5 },
      VisibilityTimeout: 60,
      ReceiveMessageWaitTimeSeconds: 20,
    });
    const queues = Object.values(template.findResources('AWS::SQS::Queue'));
    expect(queues).toHaveLength(2);
    for (const queue of queues) {
      expect(queue.Properties).toMatchObject({ MessageRetentionPeriod: 1_209_600, KmsMasterKeyId: expect.anything() });
      expect(queue.DeletionPolicy).toBe('RetainExceptOnCreate');
    }
  });

  test('denies requests without TLS', () => {
    const policies = Object.values(make().findResources('AWS::SQS::QueuePolicy'));
    expect(policies).toHaveLength(2);
    for (const policy of policies) {
      expect(policy.Properties.PolicyDocument.Statement).toContainEqual(
        expect.objectContaining({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
      );
    }
  });

  test.each<[Partial<JobQueueProps>, string]>([
    [{ visibilityTimeout: Duration.hours(13) }, 'visibilityTimeout must be from 1 to 43200 s (12 hours), got 46800 s.'],
    [{ maxReceiveCount: 0 }, 'maxReceiveCount must be a whole number from 1 to 1000, got 0.'],
  ])('rejects %j', (props, message) => {
    expect(() => make(props)).toThrow(message);
  });
});

describe('DatabaseProxy', () => {
  const make = (props: Partial<DatabaseProxyProps> = {}) => {
    const stack = makeStack();
    const { vpc } = new Network(stack, 'Network');
    const { key } = new StateKey(stack, 'StateKey');
    const database = new Database(stack, 'Database', { vpc, encryptionKey: key, databaseName: 'shop' });
    const { instance, secret } = database;
    const proxy = new DatabaseProxy(stack, 'Proxy', { vpc, instance, secret, ...props });
    database.allowFrom('Proxy', proxy, 'RDS Proxy');
    return templateOf(stack);
  };
  const template = make({ sessionSettings: { statement_timeout: '5s' } });

  test('requires TLS and SCRAM authentication', () => {
    const [proxy] = Object.values(resourcesOf(template, 'AWS::RDS::DBProxy'));
    expect(proxy.Properties).toMatchObject({
      RequireTLS: true,
      EngineFamily: 'POSTGRESQL',
      Auth: [{ AuthScheme: 'SECRETS', ClientPasswordAuthType: 'POSTGRES_SCRAM_SHA_256' }],
    });
    expect(proxy.Properties.VpcSubnetIds).toHaveLength(3);
  });

  test('uses 80% of the connections, and applies session settings with the init query', () => {
    const [targets] = Object.values(resourcesOf(template, 'AWS::RDS::DBProxyTargetGroup'));
    expect(targets.Properties.ConnectionPoolConfigurationInfo).toMatchObject({
      MaxConnectionsPercent: 80,
      ConnectionBorrowTimeout: 3,
      InitQuery: "SET statement_timeout = '5s'",
    });
    expect(targets.Properties.DBInstanceIdentifiers).toEqual([{ Ref: expect.stringMatching(/^DatabaseInstance/) }]);
  });

  test('may read only that secret, and only RDS in this account may assume its role', () => {
    const [, role] =
      Object.entries(resourcesOf(template, 'AWS::IAM::Role')).find(([id]) => id.startsWith('ProxyRole')) ?? [];
    expect(role.Properties.AssumeRolePolicyDocument.Statement[0]).toMatchObject({
      Principal: { Service: 'rds.amazonaws.com' },
      Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
    });
    const [, policy] =
      Object.entries(resourcesOf(template, 'AWS::IAM::Policy')).find(([id]) => id.startsWith('ProxyRole')) ?? [];
    expect(policy.Properties.PolicyDocument.Statement).toEqual([
      expect.objectContaining({
        Action: ['secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue'],
        Resource: { Ref: expect.stringMatching(/^DatabaseSecretAttachment/) },
      }),
    ]);
  });

  test.each<[Partial<DatabaseProxyProps>, string]>([
    [{ maxConnectionsPercent: 101 }, 'maxConnectionsPercent must be a whole number from 1 to 100, got 101.'],
    [{ borrowTimeout: Duration.seconds(301) }, 'borrowTimeout must be from 1 to 300 s, got 301 s.'],
    [{ sessionSettings: { search_path: "a'; DROP" } }, 'got search_path="a\'; DROP"'],
  ])('rejects %j', (props, message) => {
    expect(() => make(props)).toThrow(message);
  });
});

describe('Scaling', () => {
  const make = (props: Partial<ScalingProps> = {}) => {
    const stack = makeStack();
    new Scaling(stack, 'Scaling', { groupName: 'group', minSize: 2, maxSize: 20, resourceLabel: 'app/a/1', ...props });
    return templateOf(stack);
  };
  const policies = (template = make()) =>
    Object.fromEntries(
      Object.entries(resourcesOf(template, 'AWS::AutoScaling::ScalingPolicy')).map(([id, { Properties }]) => [
        id.replace(/^Scaling(.*)[0-9A-F]{8}$/, '$1'),
        Properties,
      ]),
    );

  test('tracks CPU at 60% and requests per server at the target', () => {
    expect(policies().Cpu.TargetTrackingConfiguration).toEqual({
      PredefinedMetricSpecification: { PredefinedMetricType: 'ASGAverageCPUUtilization' },
      TargetValue: 60,
    });
    expect(policies().Requests.TargetTrackingConfiguration.PredefinedMetricSpecification).toEqual({
      PredefinedMetricType: 'ALBRequestCountPerTarget',
      ResourceLabel: 'app/a/1',
    });
    expect(policies(make({ resourceLabel: undefined })).Requests).toBeUndefined();
  });

  test('adds two servers after five minutes above 70% CPU, with an instance warm-up', () => {
    expect(policies().Step).toMatchObject({
      AdjustmentType: 'ChangeInCapacity',
      StepAdjustments: [{ MetricIntervalLowerBound: 0, ScalingAdjustment: 2 }],
      EstimatedInstanceWarmup: 300,
    });
    const [alarm] = Object.values(resourcesOf(make(), 'AWS::CloudWatch::Alarm'));
    expect(alarm.Properties).toMatchObject({
      Threshold: 70,
      ComparisonOperator: 'GreaterThanThreshold',
      Period: 60,
      EvaluationPeriods: 5,
      AlarmActions: [{ Ref: expect.stringMatching(/^ScalingStep/) }],
    });
  });

  test('only forecasts unless predictiveMode is ForecastAndScale', () => {
    const mode = (props?: Partial<ScalingProps>) =>
      policies(make(props)).Predictive.PredictiveScalingConfiguration.Mode;
    expect(mode()).toBe('ForecastOnly');
    expect(mode({ predictiveMode: 'ForecastAndScale' })).toBe('ForecastAndScale');
  });

  test('adds scheduled actions in a time zone', () => {
    const template = make({
      timeZone: 'Europe/Berlin',
      scheduledActions: [{ name: 'Morning', cron: '0 8 * * MON-FRI', minSize: 4 }],
    });
    const [action] = Object.values(resourcesOf(template, 'AWS::AutoScaling::ScheduledAction'));
    expect(action.Properties).toEqual({
      AutoScalingGroupName: 'group',
      Recurrence: '0 8 * * MON-FRI',
      TimeZone: 'Europe/Berlin',
      MinSize: 4,
    });
  });

  test.each<[Partial<ScalingProps>, string]>([
    [{ cpuTarget: 95 }, 'cpuTarget must be from 10 to 90, got 95.'],
    [{ stepCpu: 50 }, 'stepCpu must be above cpuTarget (60) and below 100, got 50.'],
    [{ stepServers: 0 }, 'stepServers must be a whole number of at least 1, got 0.'],
    [{ requestsPerTarget: 0 }, 'requestsPerTarget must be greater than 0, got 0.'],
    [
      { scheduledActions: [{ name: 'A', cron: '0 8 * *', minSize: 4 }] },
      'cron of scheduled action A must have five fields, got "0 8 * *".',
    ],
    [
      { scheduledActions: [{ name: 'A', cron: '0 8 * * *', minSize: 21 }] },
      'minSize of scheduled action A must be from 2 to 20, got 21.',
    ],
  ])('rejects %j', (props, message) => {
    expect(() => make(props)).toThrow(message);
  });
});

test('BacklogScaling tracks the backlog per worker, and scales out from zero workers', () => {
  const stack = makeStack();
  new BacklogScaling(stack, 'Scaling', { groupName: 'workers', queueName: 'jobs' });
  const [policy] = Object.values(resourcesOf(templateOf(stack), 'AWS::AutoScaling::ScalingPolicy'));
  const { TargetValue, CustomizedMetricSpecification } = policy.Properties.TargetTrackingConfiguration;
  expect(TargetValue).toBe(100);
  const returned = CustomizedMetricSpecification.Metrics.filter(
    ({ ReturnData }: { ReturnData: boolean }) => ReturnData,
  );
  expect(returned).toEqual([
    { Id: 'perWorker', Expression: 'IF(workers > 0, backlog / workers, backlog)', ReturnData: true },
  ]);
  expect(() => new BacklogScaling(stack, 'Bad', { groupName: 'a', queueName: 'b', backlogPerWorker: 0 })).toThrow(
    'backlogPerWorker must be greater than 0, got 0.',
  );
});

describe('FaultDrills', () => {
  const make = (props: Partial<FaultDrillsProps> = {}) => {
    const stack = makeStack();
    const metric = new Metric({ namespace: 'Test', metricName: 'Errors' });
    const alarm = new Alarm(stack, 'Alarm', { metric, threshold: 1, evaluationPeriods: 1 });
    const drills = new FaultDrills(stack, 'Drills', {
      stopAlarms: [alarm],
      serverTag: { key: 'Name', value: 'shop-servers' },
      availabilityZones: stack.availabilityZones,
      ...props,
    });
    return { drills, template: templateOf(stack) };
  };
  const all = make({ spot: true, databaseArn: 'arn:aws:rds:eu-west-1:1:db:shop', replicationGroupId: 'cache' });

  test('exist only for the resources of the props', () => {
    expect(Object.keys(make().drills.templateIds)).toEqual(['KillServer', 'LoseZone']);
    expect(Object.keys(all.drills.templateIds)).toEqual([
      'KillServer',
      'InterruptSpot',
      'FailDatabaseOver',
      'FailCacheOver',
      'LoseZone',
    ]);
  });

  test('stop on the alarm, and target only tagged or named resources', () => {
    for (const { Properties } of Object.values(resourcesOf(all.template, 'AWS::FIS::ExperimentTemplate'))) {
      expect(Properties.StopConditions).toEqual([
        { Source: 'aws:cloudwatch:alarm', Value: { 'Fn::GetAtt': [expect.stringMatching(/^Alarm/), 'Arn'] } },
      ]);
      for (const [name, target] of Object.entries<Record<string, unknown>>(Properties.Targets)) {
        const bounded = target.ResourceArns ?? target.ResourceTags;
        expect({ name, bounded }).toEqual({ name, bounded: expect.anything() });
      }
      for (const action of Object.values<{ Targets: object }>(Properties.Actions)) {
        for (const target of Object.values(action.Targets)) expect(Properties.Targets).toHaveProperty(target);
      }
    }
  });

  test('may terminate only servers with the tag', () => {
    const [policy] = Object.values(resourcesOf(all.template, 'AWS::IAM::Policy'));
    const statements = policy.Properties.PolicyDocument.Statement as Record<string, unknown>[];
    const ending = statements.filter(({ Action }) => JSON.stringify(Action).includes('ec2:TerminateInstances'));
    expect(ending).toHaveLength(1);
    expect(ending[0]?.Condition).toEqual({ StringEquals: { 'aws:ResourceTag/Name': 'shop-servers' } });
    const unbounded = statements.filter(({ Resource, Condition }) => Resource === '*' && !Condition);
    expect(
      unbounded.flatMap(({ Action }) => Action).filter((action) => !/:(Describe|GetResources)/.test(`${action}`)),
    ).toEqual([]);
  });

  test.each<[Partial<FaultDrillsProps>, string]>([
    [{ stopAlarms: [] }, 'stopAlarms must contain 1 to 5 alarms, got 0.'],
    [{ availabilityZones: ['a'] }, 'availabilityZones must contain at least 2 zones, got 1.'],
    [{ zoneOutageDuration: Duration.days(1) }, 'zoneOutageDuration must be from 1 to 720 minutes, got 1440 minutes.'],
  ])('rejects %j', (props, message) => {
    expect(() => make(props)).toThrow(message);
  });
});

test('RestoreTesting restores the latest recovery point weekly, into the given subnet group', () => {
  const stack = makeStack();
  const backup = new Backup(stack, 'Backup', { encryptionKey: new StateKey(stack, 'StateKey').key });
  const testing = new RestoreTesting(stack, 'RestoreTesting', { vaultArn: backup.vault.backupVaultArn });
  testing.addSelection('Database', 'RDS', 'arn:aws:rds:eu-west-1:1:db:shop', { dbSubnetGroupName: 'data' });
  const template = Template.fromStack(stack);
  template.hasResourceProperties('AWS::Backup::RestoreTestingPlan', {
    ScheduleExpression: 'cron(0 7 ? * SUN *)',
    RecoveryPointSelection: { Algorithm: 'LATEST_WITHIN_WINDOW', IncludeVaults: [Match.anyValue()] },
  });
  template.hasResourceProperties('AWS::Backup::RestoreTestingSelection', {
    ProtectedResourceType: 'RDS',
    ProtectedResourceArns: ['arn:aws:rds:eu-west-1:1:db:shop'],
    RestoreMetadataOverrides: { dbSubnetGroupName: 'data' },
  });
});

test('CloudFrontPrefixList resolves without a lookup in an environment-agnostic stack', () => {
  const stack = new Stack();
  const list = new CloudFrontPrefixList(stack, 'CloudFront');
  expect(stack.resolve(list.peer.toIngressRuleConfig()).sourcePrefixListId).toEqual({
    'Fn::FindInMap': [expect.any(String), { Ref: 'AWS::Region' }, 'Id'],
  });
});
