import { Size } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { InstanceType } from 'aws-cdk-lib/aws-ec2';
import { LoadBalancerTarget } from 'aws-cdk-lib/aws-route53-targets';
import {
  ALB_IDLE,
  APP_KEEP_ALIVE,
  APP_PORT,
  DEREGISTRATION_DELAY,
  HEALTH_INTERVAL,
  HEALTH_UNHEALTHY_COUNT,
  READINESS_GRACE,
} from '../../../lib/constants';
import { Address } from '../../../lib/tiers/address';
import { Box } from '../../../lib/tiers/box';
import { Database } from '../../../lib/tiers/database';
import { LoadBalancer, type LoadBalancerProps } from '../../../lib/tiers/load-balancer';
import { Network } from '../../../lib/tiers/network';
import { ReadReplicas } from '../../../lib/tiers/read-replicas';
import { SessionCache, type SessionCacheProps } from '../../../lib/tiers/session-cache';
import { StateKey } from '../../../lib/tiers/state-key';
import { APP_BUNDLE, makeStack, templateOf } from '../../support/stack';
import { resourcesOf } from '../../support/templates';

const ELB = 'AWS::ElasticLoadBalancingV2';
const DOMAIN = { domainName: 'shop.example.com', hostedZoneId: 'Z0123456789ABC' };

/** Returns the attributes of a load balancer or target group, by key. */
function attributesOf(template: Template, type: string): Record<string, unknown> {
  const [resource] = Object.values(template.findResources(`${ELB}::${type}`));
  const attributes: { Key: string; Value: unknown }[] = resource?.Properties[`${type}Attributes`] ?? [];
  return Object.fromEntries(attributes.map(({ Key, Value }) => [Key, Value]));
}

function boxIn(stack: ReturnType<typeof makeStack>, network: Network, props = {}): Box {
  return new Box(stack, 'Box', {
    vpc: network.vpc,
    encryptionKey: new StateKey(stack, 'BoxKey').key,
    instanceType: new InstanceType('t4g.medium'),
    dataSize: Size.gibibytes(100),
    appName: 'app',
    bundle: APP_BUNDLE,
    setupScript: 'setup.sh',
    openPorts: [],
    ...props,
  });
}

describe('LoadBalancer', () => {
  const make = (props: Partial<LoadBalancerProps> = {}) => {
    const stack = makeStack();
    const network = new Network(stack, 'Network');
    const balancer = new LoadBalancer(stack, 'LoadBalancer', { vpc: network.vpc, ...props });
    return { stack, network, balancer, template: () => Template.fromStack(stack) };
  };

  test('drops malformed requests, has access logs and deletion protection, and closes idle connections before the app', () => {
    const template = make().template();
    expect(attributesOf(template, 'LoadBalancer')).toMatchObject({
      'deletion_protection.enabled': 'true',
      'routing.http.drop_invalid_header_fields.enabled': 'true',
      'routing.http.desync_mitigation_mode': 'strictest',
      'idle_timeout.timeout_seconds': String(ALB_IDLE),
      'access_logs.s3.enabled': 'true',
      'access_logs.s3.bucket': { Ref: expect.stringMatching(/^LoadBalancerLogs/) },
    });
    expect(ALB_IDLE).toBeLessThan(APP_KEEP_ALIVE);
    template.hasResourceProperties(`${ELB}::LoadBalancer`, {
      Type: 'application',
      Scheme: 'internet-facing',
      Subnets: [1, 2, 3].map((zone) => ({ Ref: Match.stringLikeRegexp(`PublicSubnet${zone}`) })),
    });
  });

  test('creates the policy of an encrypted, TLS-only log bucket before access logs are enabled', () => {
    const { stack, template } = make();
    const [balancer] = Object.values(resourcesOf(templateOf(stack), `${ELB}::LoadBalancer`));
    expect(balancer.DependsOn).toContainEqual(expect.stringMatching(/^LoadBalancerLogsPolicy/));
    template().hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
          Match.objectLike({
            Action: 's3:PutObject',
            Principal: { Service: 'logdelivery.elasticloadbalancing.amazonaws.com' },
          }),
        ]),
      },
    });
    template().hasResource('AWS::S3::Bucket', {
      DeletionPolicy: 'RetainExceptOnCreate',
      Properties: {
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
        },
        PublicAccessBlockConfiguration: { BlockPublicAcls: true, RestrictPublicBuckets: true },
      },
    });
  });

  test('detects a stopping server within the readiness grace, and drains its requests', () => {
    const template = make().template();
    template.hasResourceProperties(`${ELB}::TargetGroup`, {
      Port: APP_PORT,
      Protocol: 'HTTP',
      HealthCheckPath: '/readyz',
      HealthCheckIntervalSeconds: HEALTH_INTERVAL,
      UnhealthyThresholdCount: HEALTH_UNHEALTHY_COUNT,
      Matcher: { HttpCode: '200' },
    });
    expect(HEALTH_INTERVAL * HEALTH_UNHEALTHY_COUNT).toBeLessThan(READINESS_GRACE);
    expect(attributesOf(template, 'TargetGroup')).toMatchObject({
      'deregistration_delay.timeout_seconds': String(DEREGISTRATION_DELAY),
    });
  });

  test.each([
    [undefined, 'least_outstanding_requests'],
    ['least-outstanding-requests', 'least_outstanding_requests'],
    ['round-robin', 'round_robin'],
  ] as const)('routes requests by algorithm %s', (algorithm, value) => {
    const attributes = attributesOf(make({ algorithm }).template(), 'TargetGroup');
    expect(attributes).toMatchObject({ 'load_balancing.algorithm.type': value, 'stickiness.enabled': 'false' });
  });

  test('enables sticky sessions on request, by cookie on layer 7 and by source IP on layer 4', () => {
    expect(attributesOf(make({ sticky: true }).template(), 'TargetGroup')).toMatchObject({
      'stickiness.enabled': 'true',
      'stickiness.type': 'lb_cookie',
      'stickiness.lb_cookie.duration_seconds': '86400',
    });
    expect(attributesOf(make({ sticky: true, layer: 4 }).template(), 'TargetGroup')).toMatchObject({
      'stickiness.enabled': 'true',
      'stickiness.type': 'source_ip',
    });
  });

  test('with a domain serves HTTPS with a DNS-validated certificate, and redirects port 80 to it', () => {
    const { stack, template } = make(DOMAIN);
    template().hasResourceProperties('AWS::CertificateManager::Certificate', {
      DomainName: 'shop.example.com',
      ValidationMethod: 'DNS',
      DomainValidationOptions: [{ DomainName: 'shop.example.com', HostedZoneId: 'Z0123456789ABC' }],
    });
    const listeners = Object.values(resourcesOf(templateOf(stack), `${ELB}::Listener`)).map(({ Properties }) => [
      Properties.Port,
      Properties.Protocol,
      Properties.DefaultActions[0].Type,
    ]);
    expect(listeners).toEqual([
      [80, 'HTTP', 'redirect'],
      [443, 'HTTPS', 'forward'],
    ]);
    template().hasResourceProperties(`${ELB}::Listener`, {
      Protocol: 'HTTPS',
      SslPolicy: Match.stringLikeRegexp('^ELBSecurityPolicy-TLS13-1-2'),
    });
  });

  test('on layer 4 forwards TCP connections and checks the health of the app over HTTP', () => {
    const { template } = make({ layer: 4 });
    template().hasResourceProperties(`${ELB}::LoadBalancer`, { Type: 'network', SecurityGroups: Match.anyValue() });
    template().hasResourceProperties(`${ELB}::Listener`, { Port: 80, Protocol: 'TCP' });
    template().hasResourceProperties(`${ELB}::TargetGroup`, {
      Protocol: 'TCP',
      HealthCheckProtocol: 'HTTP',
      HealthCheckPath: '/readyz',
    });
    expect(attributesOf(template(), 'LoadBalancer')).toMatchObject({
      'deletion_protection.enabled': 'true',
      'load_balancing.cross_zone.enabled': 'true',
    });
  });

  test('allows inbound traffic on its ports, and outbound traffic to the servers only', () => {
    const { stack, network, balancer, template } = make();
    const rules = balancer.allowTo('Box', boxIn(stack, network), 'The servers');
    expect(rules).toBeDefined();
    template().hasResourceProperties('AWS::EC2::SecurityGroup', {
      GroupDescription: 'The load balancer: visitors in, servers out',
      SecurityGroupIngress: [Match.objectLike({ CidrIp: '0.0.0.0/0', FromPort: 80, ToPort: 80 })],
      SecurityGroupEgress: [Match.objectLike({ CidrIp: '255.255.255.255/32' })],
    });
    for (const rule of ['AWS::EC2::SecurityGroupIngress', 'AWS::EC2::SecurityGroupEgress']) {
      template().hasResourceProperties(rule, { FromPort: APP_PORT, ToPort: APP_PORT });
    }
  });

  test('as an internal load balancer allows no inbound traffic by default', () => {
    const { template } = make({ internal: true });
    template().hasResourceProperties(`${ELB}::LoadBalancer`, {
      Scheme: 'internal',
      Subnets: Match.arrayWith([{ Ref: Match.stringLikeRegexp('AppSubnet1') }]),
    });
    template().hasResourceProperties('AWS::EC2::SecurityGroup', { SecurityGroupIngress: Match.absent() });
  });

  test('has deletion protection unless a reason is given, which is recorded in the metadata', () => {
    const template = make({ unprotectedBecause: 'a trial for one day' }).template();
    expect(attributesOf(template, 'LoadBalancer')['deletion_protection.enabled']).toBe('false');
    template.hasResource(`${ELB}::LoadBalancer`, { Metadata: { UnprotectedBecause: 'a trial for one day' } });
  });

  test.each<[Partial<LoadBalancerProps>, string]>([
    [
      { domainName: 'a.example.com' },
      'domainName and hostedZoneId must be set together, got domainName a.example.com and hostedZoneId undefined.',
    ],
    [{ layer: 4, algorithm: 'round-robin' }, 'algorithm must be unset on layer 4, got "round-robin".'],
    [{ layer: 4, ...DOMAIN }, 'domainName must be unset on layer 4, got "shop.example.com".'],
  ])('rejects %j', (props, message) => {
    expect(() => make(props)).toThrow(message);
  });
});

describe('SessionCache', () => {
  const make = (props: Partial<SessionCacheProps> = {}) => {
    const stack = makeStack();
    const network = new Network(stack, 'Network');
    const { key } = new StateKey(stack, 'StateKey');
    const cache = new SessionCache(stack, 'Cache', {
      vpc: network.vpc,
      encryptionKey: key,
      userName: 'shop',
      ...props,
    });
    return { stack, network, cache };
  };
  const { stack, cache } = make();
  const template = Template.fromStack(stack);

  test('has automatic Multi-AZ failover, encryption at rest and in transit, and snapshots', () => {
    template.hasResource('AWS::ElastiCache::ReplicationGroup', {
      Properties: {
        Engine: 'valkey',
        NumCacheClusters: 3,
        AutomaticFailoverEnabled: true,
        MultiAZEnabled: true,
        TransitEncryptionEnabled: true,
        AtRestEncryptionEnabled: true,
        KmsKeyId: { Ref: Match.stringLikeRegexp('^StateKey') },
        SnapshotRetentionLimit: 7,
        ReplicationGroupId: Match.absent(),
        AuthToken: Match.absent(),
      },
      DeletionPolicy: 'Snapshot',
      UpdateReplacePolicy: 'Snapshot',
    });
    template.hasResourceProperties('AWS::ElastiCache::SubnetGroup', {
      SubnetIds: [1, 2, 3].map((zone) => ({ Ref: Match.stringLikeRegexp(`DataSubnet${zone}`) })),
    });
  });

  test('evicts keys with the shortest TTL first, so that responses are evicted before sessions', () => {
    template.hasResourceProperties('AWS::ElastiCache::ParameterGroup', {
      CacheParameterGroupFamily: 'valkey8',
      Properties: { 'maxmemory-policy': 'volatile-ttl' },
    });
  });

  test('has one user without dangerous commands, whose password is not in the template, and a disabled default user', () => {
    template.hasResourceProperties('AWS::ElastiCache::User', {
      UserName: 'shop',
      AccessString: Match.stringLikeRegexp('-@admin -@dangerous'),
    });
    template.hasResourceProperties('AWS::ElastiCache::User', { UserName: 'default', AccessString: 'off -@all' });
    for (const user of Object.values(template.findResources('AWS::ElastiCache::User'))) {
      expect(JSON.stringify(user.Properties.Passwords)).toContain('{{resolve:secretsmanager:');
      expect(user.Properties.NoPasswordRequired).toBeUndefined();
    }
    template.hasResource('AWS::SecretsManager::Secret', {
      DeletionPolicy: 'RetainExceptOnCreate',
      Properties: { GenerateSecretString: { SecretStringTemplate: '{"username":"shop"}', PasswordLength: 64 } },
    });
  });

  test('names users by the UUID of the stack, within the 40 characters that ElastiCache allows', () => {
    const uuid = { 'Fn::Select': [2, { 'Fn::Split': ['/', { Ref: 'AWS::StackId' }] }] };
    template.hasResourceProperties('AWS::ElastiCache::UserGroup', { UserGroupId: { 'Fn::Join': ['', ['g-', uuid]] } });
  });

  test('has the TLS URL of the primary endpoint', () => {
    expect(stack.resolve(cache.url)['Fn::Join'][1]).toEqual([
      'rediss://',
      { 'Fn::GetAtt': [expect.stringMatching(/^CacheGroup/), 'PrimaryEndPoint.Address'] },
      ':6379',
    ]);
  });

  test('returns metrics of each node', () => {
    const ids = cache.metrics('EngineCPUUtilization', 'Average').map(({ dimensions }) => stack.resolve(dimensions));
    expect(ids.map(({ CacheClusterId }) => CacheClusterId['Fn::Join'][1][1])).toEqual(['-001', '-002', '-003']);
  });

  test('allows a client to connect, with rule ids that do not contain the id of the stack', () => {
    const own = make();
    own.cache.allowFrom('Box', boxIn(own.stack, own.network), 'The app');
    for (const rule of ['AWS::EC2::SecurityGroupIngress', 'AWS::EC2::SecurityGroupEgress']) {
      Template.fromStack(own.stack).hasResourceProperties(rule, { FromPort: 6379, ToPort: 6379 });
    }
    expect(Object.keys(resourcesOf(templateOf(own.stack), 'AWS::EC2::SecurityGroupIngress'))[0]).toMatch(
      /^CacheFromBoxIngress/,
    );
  });

  test.each<[Partial<SessionCacheProps>, string]>([
    [
      { userName: 'default' },
      'userName must be up to 32 lowercase letters and digits and not "default", got "default".',
    ],
    [{ nodes: 1 }, 'nodes must be a whole number from 2 to 6, got 1.'],
    [{ snapshotRetentionLimit: 0 }, 'snapshotRetentionLimit must be a whole number from 1 to 35, got 0.'],
  ])('rejects %j', (props, message) => {
    expect(() => make(props)).toThrow(message);
  });
});

describe('ReadReplicas', () => {
  const make = (count: number, multiAz?: boolean) => {
    const stack = makeStack();
    const { vpc } = new Network(stack, 'Network');
    const { key: encryptionKey } = new StateKey(stack, 'StateKey');
    const database = new Database(stack, 'Database', { vpc, encryptionKey, databaseName: 'shop', multiAz });
    const replicas = new ReadReplicas(stack, 'ReadReplicas', {
      vpc,
      encryptionKey,
      source: database.instance,
      securityGroup: database.securityGroup,
      instanceType: database.instanceType,
      count,
    });
    const all = Object.values(resourcesOf(templateOf(stack), 'AWS::RDS::DBInstance'));
    const [primary] = all.filter(({ Properties }) => Properties.SourceDBInstanceIdentifier === undefined);
    return { stack, replicas, primary, made: all.filter((one) => one !== primary) };
  };

  test('are private, in different zones, with the class and storage type of the primary', () => {
    const { made, primary } = make(2);
    const zones = made.map(({ Properties }) => Properties.AvailabilityZone['Fn::GetAtt'][0]);
    expect(zones).toEqual([expect.stringMatching(/DataSubnet2/), expect.stringMatching(/DataSubnet3/)]);
    for (const { Properties } of made) {
      expect(Properties).toMatchObject({
        DBInstanceClass: primary.Properties.DBInstanceClass,
        StorageType: primary.Properties.StorageType,
        PubliclyAccessible: false,
        VPCSecurityGroups: primary.Properties.VPCSecurityGroups,
      });
      // Inherited from the primary.
      for (const name of ['KmsKeyId', 'AllocatedStorage', 'MasterUsername', 'BackupRetentionPeriod']) {
        expect(Properties).not.toHaveProperty(name);
      }
    }
  });

  test('can be deleted by a deploy, unlike their primary', () => {
    const { made, primary } = make(1);
    expect(made.map(({ DeletionPolicy, Properties }) => [DeletionPolicy, Properties.DeletionProtection])).toEqual([
      ['Delete', false],
    ]);
    expect(primary.Properties).toMatchObject({ DeletionProtection: true, BackupRetentionPeriod: 7 });
  });

  test('return their host names, and none for a count of 0', () => {
    const { stack, replicas } = make(2);
    expect(replicas.hosts.map((host) => stack.resolve(host)['Fn::GetAtt'][1])).toEqual([
      'Endpoint.Address',
      'Endpoint.Address',
    ]);
    expect(make(0).replicas.hosts).toEqual([]);
    expect(() => make(16)).toThrow('count must be a whole number from 0 to 15, got 16.');
  });

  test('follow a primary that is Multi-AZ only if multiAz is set', () => {
    expect(make(0, true).primary.Properties.MultiAZ).toBe(true);
    expect(make(0).primary.Properties).not.toHaveProperty('MultiAZ');
  });
});

describe('Network with NAT gateways', () => {
  const routesOf = (natGateways: 0 | 1 | 3) => {
    const stack = makeStack();
    new Network(stack, 'Network', { natGateways });
    const template = templateOf(stack);
    const gateways = Object.values(resourcesOf(template, 'AWS::EC2::Route'))
      .map(({ Properties }) => Properties.NatGatewayId?.Ref)
      .filter((id) => id !== undefined);
    return { template, routes: gateways.length, gateways: new Set(gateways).size };
  };

  test('has one gateway per zone or a single one, with routes of the app subnets only', () => {
    expect(routesOf(3)).toMatchObject({ routes: 3, gateways: 3 });
    expect(routesOf(1)).toMatchObject({ routes: 3, gateways: 1 });
    expect(routesOf(0)).toMatchObject({ routes: 0, gateways: 0 });
  });

  test('changes no resource of the network without NAT gateways', () => {
    const [before, after] = [routesOf(0).template.Resources, routesOf(3).template.Resources];
    for (const [id, resource] of Object.entries(before)) expect([id, after[id]]).toEqual([id, resource]);
  });
});

describe('Address', () => {
  const make = (props: object = {}) => {
    const stack = makeStack();
    const { vpc } = new Network(stack, 'Network');
    const { loadBalancer, dnsName } = new LoadBalancer(stack, 'LoadBalancer', { vpc });
    const alias = { alias: new LoadBalancerTarget(loadBalancer), aliasDnsName: dnsName };
    return { stack, alias, address: new Address(stack, 'Address', { ...alias, ...props }) };
  };

  test('is an alias record of the load balancer with a domain', () => {
    const { stack, address } = make(DOMAIN);
    expect(address.url).toBe('https://shop.example.com');
    Template.fromStack(stack).hasResourceProperties('AWS::Route53::RecordSet', {
      Name: 'shop.example.com.',
      AliasTarget: { DNSName: Match.anyValue() },
      TTL: Match.absent(),
      ResourceRecords: Match.absent(),
    });
  });

  test('is the DNS name of the load balancer without a domain, with HTTPS only if httpsWithoutDomain is set', () => {
    const { stack, address } = make();
    expect(stack.resolve(address.url)['Fn::Join'][1][0]).toBe('http://');
    const safe = make({ httpsWithoutDomain: true });
    expect(safe.stack.resolve(safe.address.url)['Fn::Join'][1][0]).toBe('https://');
    expect(safe.address.node.metadata).toEqual([]);
  });

  test('rejects two targets, no target, and an alias without a DNS name', () => {
    expect(() => make({ ip: '192.0.2.1' })).toThrow(
      /^Address: props must contain either ip, or alias and aliasDnsName, got ip 192\.0\.2\.1 and aliasDnsName \S+\.$/,
    );
    expect(() => new Address(makeStack(), 'Address', {})).toThrow('got ip undefined and aliasDnsName undefined.');
    expect(() => make({ aliasDnsName: undefined })).toThrow(
      'Address: props must contain either ip, or alias and aliasDnsName, got ip undefined and aliasDnsName undefined.',
    );
  });
});

describe('a Box that a later phase removes', () => {
  test('has no termination protection if a reason is given, which is recorded in the metadata', () => {
    const stack = makeStack();
    boxIn(stack, new Network(stack, 'Network'), { unprotectedBecause: 'Its state is elsewhere.' });
    Template.fromStack(stack).hasResource('AWS::EC2::Instance', {
      Properties: { DisableApiTermination: false },
      Metadata: { UnprotectedBecause: 'Its state is elsewhere.' },
    });
  });
});
