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
import { APP_BUNDLE, makeStack, resourcesOf, templateOf } from '../../support/stack';

const ELB = 'AWS::ElasticLoadBalancingV2';
const DOMAIN = { domainName: 'shop.example.com', hostedZoneId: 'Z0123456789ABC' };

/** Attributes of a load balancer or target group, by name. */
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

  test('drops malformed requests, logs each, is protected, and gives up idle connections before the app does', () => {
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

  test('may write to its log before it is told to, encrypted and read by nobody without TLS', () => {
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

  test('sees within the readiness grace that a server leaves, and lets its requests end', () => {
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
  ] as const)('chooses a server by algorithm %s', (algorithm, value) => {
    const attributes = attributesOf(make({ algorithm }).template(), 'TargetGroup');
    expect(attributes).toMatchObject({ 'load_balancing.algorithm.type': value, 'stickiness.enabled': 'false' });
  });

  test('keeps visitors on one server only when asked, by a cookie on layer 7 and by address on layer 4', () => {
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

  test('with a domain serves over TLS alone, by a certificate that renews itself; port 80 leads there', () => {
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

  test('on layer 4 hands connections through and asks the app itself whether it is ready', () => {
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

  test('lets visitors in on its ports, and out to the servers alone', () => {
    const { stack, network, balancer, template } = make();
    const way = balancer.allowTo('Box', boxIn(stack, network), 'The servers');
    expect(way).toBeDefined();
    template().hasResourceProperties('AWS::EC2::SecurityGroup', {
      GroupDescription: 'The load balancer: visitors in, servers out',
      SecurityGroupIngress: [Match.objectLike({ CidrIp: '0.0.0.0/0', FromPort: 80, ToPort: 80 })],
      SecurityGroupEgress: [Match.objectLike({ CidrIp: '255.255.255.255/32' })],
    });
    for (const rule of ['AWS::EC2::SecurityGroupIngress', 'AWS::EC2::SecurityGroupEgress']) {
      template().hasResourceProperties(rule, { FromPort: APP_PORT, ToPort: APP_PORT });
    }
  });

  test('inside the VPC lets nobody in by itself', () => {
    const { template } = make({ internal: true });
    template().hasResourceProperties(`${ELB}::LoadBalancer`, {
      Scheme: 'internal',
      Subnets: Match.arrayWith([{ Ref: Match.stringLikeRegexp('AppSubnet1') }]),
    });
    template().hasResourceProperties('AWS::EC2::SecurityGroup', { SecurityGroupIngress: Match.absent() });
  });

  test('is protected unless a reason is given, which the template keeps', () => {
    const template = make({ unprotectedBecause: 'a trial for one day' }).template();
    expect(attributesOf(template, 'LoadBalancer')['deletion_protection.enabled']).toBe('false');
    template.hasResource(`${ELB}::LoadBalancer`, { Metadata: { UnprotectedBecause: 'a trial for one day' } });
  });

  test.each<[Partial<LoadBalancerProps>, string]>([
    [{ domainName: 'a.example.com' }, 'domainName (a.example.com) and hostedZoneId (undefined) come together'],
    [{ layer: 4, algorithm: 'round-robin' }, 'algorithm "round-robin" needs layer 7'],
    [{ layer: 4, ...DOMAIN }, 'domainName "shop.example.com" needs layer 7'],
  ])('refuses %j', (props, message) => {
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

  test('fails over by itself to another zone, is encrypted in memory, on disk and on the way, and is snapshotted', () => {
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

  test('evicts what expires soonest, so that answers go before sessions', () => {
    template.hasResourceProperties('AWS::ElastiCache::ParameterGroup', {
      CacheParameterGroupFamily: 'valkey8',
      Properties: { 'maxmemory-policy': 'volatile-ttl' },
    });
  });

  test('has one user with a password that no template says, who cannot empty it, and nobody without a name', () => {
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

  test('names users after what no other stack has, within the 40 characters that ElastiCache takes', () => {
    const uuid = { 'Fn::Select': [2, { 'Fn::Split': ['/', { Ref: 'AWS::StackId' }] }] };
    template.hasResourceProperties('AWS::ElastiCache::UserGroup', { UserGroupId: { 'Fn::Join': ['', ['g-', uuid]] } });
  });

  test('is reached over TLS at whichever node is the primary', () => {
    expect(stack.resolve(cache.url)['Fn::Join'][1]).toEqual([
      'rediss://',
      { 'Fn::GetAtt': [expect.stringMatching(/^CacheGroup/), 'PrimaryEndPoint.Address'] },
      ':6379',
    ]);
  });

  test('measures each node, since any may be the primary', () => {
    const ids = cache.metrics('EngineCPUUtilization', 'Average').map(({ dimensions }) => stack.resolve(dimensions));
    expect(ids.map(({ CacheClusterId }) => CacheClusterId['Fn::Join'][1][1])).toEqual(['-001', '-002', '-003']);
  });

  test('lets in the one client that it is told of', () => {
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
    [{ userName: 'default' }, 'userName "default" must be lower-case letters and digits, and not "default"'],
    [{ nodes: 1 }, 'nodes 1 must be a whole number from 2 to 6'],
    [{ snapshotRetentionLimit: 0 }, 'snapshotRetentionLimit 0 must be a whole number from 1 to 35'],
  ])('refuses %j', (props, message) => {
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

  test('are in different zones, private, and of the class and the storage of their primary', () => {
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
      // Settled by the primary.
      for (const name of ['KmsKeyId', 'AllocatedStorage', 'MasterUsername', 'BackupRetentionPeriod']) {
        expect(Properties).not.toHaveProperty(name);
      }
    }
  });

  test('can be taken away by a deploy, which their primary cannot', () => {
    const { made, primary } = make(1);
    expect(made.map(({ DeletionPolicy, Properties }) => [DeletionPolicy, Properties.DeletionProtection])).toEqual([
      ['Delete', false],
    ]);
    expect(primary.Properties).toMatchObject({ DeletionProtection: true, BackupRetentionPeriod: 7 });
  });

  test('tell their hosts, and none is none', () => {
    const { stack, replicas } = make(2);
    expect(replicas.hosts.map((host) => stack.resolve(host)['Fn::GetAtt'][1])).toEqual([
      'Endpoint.Address',
      'Endpoint.Address',
    ]);
    expect(make(0).replicas.hosts).toEqual([]);
    expect(() => make(16)).toThrow('count 16 must be a whole number from 0 to 15');
  });

  test('the primary has a standby when asked, and says nothing of one otherwise', () => {
    expect(make(0, true).primary.Properties.MultiAZ).toBe(true);
    expect(make(0).primary.Properties).not.toHaveProperty('MultiAZ');
  });
});

describe('NAT', () => {
  const routesOf = (natGateways: 0 | 1 | 3) => {
    const stack = makeStack();
    new Network(stack, 'Network', { natGateways });
    const template = templateOf(stack);
    const gateways = Object.values(resourcesOf(template, 'AWS::EC2::Route'))
      .map(({ Properties }) => Properties.NatGatewayId?.Ref)
      .filter((id) => id !== undefined);
    return { template, routes: gateways.length, gateways: new Set(gateways).size };
  };

  test('is one for each zone, or one for all, and the app subnets alone go through it', () => {
    expect(routesOf(3)).toMatchObject({ routes: 3, gateways: 3 });
    expect(routesOf(1)).toMatchObject({ routes: 3, gateways: 1 });
    expect(routesOf(0)).toMatchObject({ routes: 0, gateways: 0 });
  });

  test('changes nothing of the network that was there before', () => {
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

  test('is an alias of the balancer under a domain', () => {
    const { stack, address } = make(DOMAIN);
    expect(address.url).toBe('https://shop.example.com');
    Template.fromStack(stack).hasResourceProperties('AWS::Route53::RecordSet', {
      Name: 'shop.example.com.',
      AliasTarget: { DNSName: Match.anyValue() },
      TTL: Match.absent(),
      ResourceRecords: Match.absent(),
    });
  });

  test('is the name of the balancer without one, and HTTPS only where that has it', () => {
    const { stack, address } = make();
    expect(stack.resolve(address.url)['Fn::Join'][1][0]).toBe('http://');
    const safe = make({ httpsWithoutDomain: true });
    expect(safe.stack.resolve(safe.address.url)['Fn::Join'][1][0]).toBe('https://');
    expect(safe.address.node.metadata).toEqual([]);
  });

  test('refuses two places at once, none, and an alias without a name', () => {
    expect(() => make({ ip: '192.0.2.1' })).toThrow('Address: give ip (192.0.2.1), or alias and aliasDnsName');
    expect(() => new Address(makeStack(), 'Address', {})).toThrow('Address: give ip (undefined)');
    expect(() => make({ aliasDnsName: undefined })).toThrow('Address: give ip (undefined), or alias and aliasDnsName');
  });
});

describe('a Box that is to go', () => {
  test('may be terminated for a reason, which the template keeps', () => {
    const stack = makeStack();
    boxIn(stack, new Network(stack, 'Network'), { unprotectedBecause: 'Its state is elsewhere.' });
    Template.fromStack(stack).hasResource('AWS::EC2::Instance', {
      Properties: { DisableApiTermination: false },
      Metadata: { UnprotectedBecause: 'Its state is elsewhere.' },
    });
  });
});
