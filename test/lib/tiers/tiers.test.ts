import { Duration, Size, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { InstanceType } from 'aws-cdk-lib/aws-ec2';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { DEFAULT_DATABASE_CLASS } from '../../../lib/phases/sizes';
import { Address } from '../../../lib/tiers/address';
import { Backup } from '../../../lib/tiers/backup';
import { Box, type BoxProps } from '../../../lib/tiers/box';
import { Database, type DatabaseProps } from '../../../lib/tiers/database';
import { Network } from '../../../lib/tiers/network';
import { SessionSecret } from '../../../lib/tiers/session-secret';
import { StateKey } from '../../../lib/tiers/state-key';
import { APP_BUNDLE, makeStack, templateOf } from '../../support/stack';
import { resourcesOf } from '../../support/templates';

describe('Network', () => {
  const stack = makeStack();
  const { vpc } = new Network(stack, 'Network');
  const template = Template.fromStack(stack);

  test('has three subnets of each type in three zones', () => {
    template.resourceCountIs('AWS::EC2::Subnet', 9);
    for (const subnets of [vpc.publicSubnets, vpc.privateSubnets, vpc.isolatedSubnets]) {
      expect(subnets).toHaveLength(3);
      expect(new Set(subnets.map((subnet) => stack.resolve(subnet.availabilityZone)['Fn::Select'][0])).size).toBe(3);
    }
  });

  test('has no NAT gateway, and a free S3 gateway endpoint for every subnet', () => {
    template.resourceCountIs('AWS::EC2::NatGateway', 0);
    template.hasResourceProperties('AWS::EC2::VPCEndpoint', { VpcEndpointType: 'Gateway' });
    const [endpoint] = Object.values(template.findResources('AWS::EC2::VPCEndpoint'));
    expect(endpoint?.Properties.RouteTableIds).toHaveLength(9);
  });

  test('assigns no public IP addresses on launch, and routes only public subnets to the internet', () => {
    template.allResourcesProperties('AWS::EC2::Subnet', { MapPublicIpOnLaunch: false });
    expect(Object.keys(template.findResources('AWS::EC2::Route'))).toHaveLength(3);
  });

  test('logs all traffic', () => {
    template.hasResourceProperties('AWS::EC2::FlowLog', { ResourceType: 'VPC', TrafficType: 'ALL' });
  });

  test('takes the first three zones of the region in an environment-agnostic stack', () => {
    const stack = new Stack();
    const { vpc } = new Network(stack, 'Network');
    const zones = vpc.publicSubnets.map((subnet) => stack.resolve(subnet.availabilityZone)['Fn::Select'][0]);
    expect(zones).toEqual([0, 1, 2]);
  });

  test('rejects a stack that has fewer than three concrete zones', () => {
    class TwoZones extends Stack {
      override get availabilityZones(): string[] {
        return ['us-west-1a', 'us-west-1c'];
      }
    }
    expect(() => new Network(new TwoZones(), 'Network')).toThrow(
      'Network: the stack must have 3 availability zones, got us-west-1a, us-west-1c. Deploy to a region with three.',
    );
  });
});

describe('Box', () => {
  const make = (props: Partial<BoxProps> = {}) => {
    const stack = makeStack();
    const { vpc } = new Network(stack, 'Network');
    const { key } = new StateKey(stack, 'StateKey');
    const secret = new Secret(stack, 'Secret', { encryptionKey: key });
    const box = new Box(stack, 'Box', {
      vpc,
      encryptionKey: key,
      instanceType: new InstanceType('t4g.medium'),
      dataSize: Size.gibibytes(500),
      appName: 'shop',
      bundle: APP_BUNDLE,
      setupScript: 'host/configure.sh',
      openPorts: [80],
      secrets: [secret],
      ...props,
    });
    return { stack, box };
  };
  const { stack } = make();
  const template = Template.fromStack(stack);

  test('has immutable settings in the launch template, and mutable ones on the instance', () => {
    template.hasResourceProperties('AWS::EC2::LaunchTemplate', {
      LaunchTemplateData: {
        ImageId: 'resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64',
        MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 1 },
        BlockDeviceMappings: [{ Ebs: { Encrypted: true } }],
        InstanceType: Match.absent(),
        SecurityGroupIds: Match.absent(),
        UserData: Match.absent(),
        IamInstanceProfile: Match.absent(),
        KeyName: Match.absent(),
      },
    });
    template.hasResourceProperties('AWS::EC2::Instance', {
      InstanceType: 't4g.medium',
      Monitoring: true,
      DisableApiTermination: true,
      KeyName: Match.absent(),
    });
  });

  test('encrypts its data volume with the given key, and retains it', () => {
    template.hasResource('AWS::EC2::Volume', {
      Properties: {
        Encrypted: true,
        KmsKeyId: { 'Fn::GetAtt': [Match.anyValue(), 'Arn'] },
        VolumeType: 'gp3',
        Size: 500,
      },
      DeletionPolicy: 'RetainExceptOnCreate',
      UpdateReplacePolicy: 'Retain',
    });
  });

  test('allows inbound traffic on the open ports, and outbound traffic on port 443', () => {
    template.hasResourceProperties('AWS::EC2::SecurityGroup', {
      SecurityGroupIngress: [{ CidrIp: '0.0.0.0/0', FromPort: 80, ToPort: 80, IpProtocol: 'tcp' }],
      SecurityGroupEgress: [{ CidrIp: '0.0.0.0/0', FromPort: 443, ToPort: 443, IpProtocol: 'tcp' }],
    });
  });

  test('may read only its bundle and its secrets', () => {
    const [policy] = Object.values(template.findResources('AWS::IAM::Policy', policyOf('BoxRole')));
    const statements = policy?.Properties.PolicyDocument.Statement as {
      Action: string | string[];
      Resource: unknown;
    }[];
    const resourceOf = (action: string) => statements.filter((one) => [one.Action].flat().includes(action));
    expect(resourceOf('s3:GetObject')).toHaveLength(1);
    expect(JSON.stringify(resourceOf('s3:GetObject')[0]?.Resource)).toMatch(/\/[0-9a-f]{64}\.zip/);
    expect(resourceOf('secretsmanager:GetSecretValue')).toEqual([
      expect.objectContaining({ Resource: { Ref: expect.stringMatching(/^Secret/) } }),
    ]);
    // The key policy grants decryption, and only through Secrets Manager.
    template.hasResourceProperties('AWS::KMS::Key', {
      KeyPolicy: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Action: 'kms:Decrypt',
            Principal: { AWS: { 'Fn::GetAtt': [Match.stringLikeRegexp('^BoxRole'), 'Arn'] } },
            Condition: { StringEquals: { 'kms:ViaService': Match.anyValue() } },
          }),
        ]),
      },
    });
    expect(statements.flatMap((one) => one.Action).filter((action) => action.includes('*'))).toEqual([]);
  });

  test('runs its setup after address, volume and policy exist, and CloudFormation waits for it', () => {
    const [setup] = Object.values(template.findResources('AWS::SSM::Association'));
    expect(setup?.Properties.WaitForSuccessTimeoutSeconds).toBe(1800);
    expect(setup?.Properties.Parameters.executionTimeout).toEqual(['1800']);
    const dependencies: string[] = setup?.DependsOn;
    const types = dependencies.map((id) => templateOf(stack).Resources[id].Type);
    expect(types.sort()).toEqual(['AWS::EC2::EIPAssociation', 'AWS::EC2::VolumeAttachment', 'AWS::IAM::Policy']);
  });

  test('runs its setup after the setup dependencies', () => {
    const { stack: other, box } = make();
    box.addSetupDependency(new Secret(other, 'Needed'));
    const [setup] = Object.values(resourcesOf(templateOf(other), 'AWS::SSM::Association'));
    expect(setup.DependsOn).toContainEqual(expect.stringMatching(/^Needed/));
  });

  test.each<[Partial<BoxProps>, string]>([
    [{ instanceType: new InstanceType('m7i.large') }, 'instanceType must be arm64, got m7i.large.'],
    [{ appName: 'My Shop' }, 'appName must be lowercase letters, digits and dashes, got "My Shop".'],
    [{ dataIops: 2999 }, 'dataIops must be from 3000 to 16000 and at most 500 per GiB, got 2999.'],
    [{ dataIops: 16_001 }, 'dataIops must be from 3000 to 16000 and at most 500 per GiB, got 16001.'],
    [
      { dataThroughput: 1001, dataIops: 16_000 },
      'dataThroughput must be from 125 to 1000 MiB/s and at most a quarter of the IOPS, got 1001 MiB/s.',
    ],
    [
      { dataThroughput: 800 },
      'dataThroughput must be from 125 to 1000 MiB/s and at most a quarter of the IOPS, got 800 MiB/s.',
    ],
    [
      { environment: { NAME: "it's" } },
      'environment variable NAME must not contain quotes, newlines or {{, got "it\'s"',
    ],
    [{ environment: { NAME: '{{ssm:secret}}' } }, 'must not contain quotes, newlines or {{'],
  ])('rejects %j', (props, message) => {
    expect(() => make(props)).toThrow(message);
  });
});

describe('Database', () => {
  const make = (props: Partial<DatabaseProps> = {}) => {
    const stack = makeStack();
    const { vpc } = new Network(stack, 'Network');
    const { key } = new StateKey(stack, 'StateKey');
    const database = new Database(stack, 'Database', { vpc, encryptionKey: key, databaseName: 'shop', ...props });
    return { stack, vpc, database };
  };
  const template = Template.fromStack(make().stack);

  test('is encrypted, private, protected from deletion and backed up', () => {
    template.hasResource('AWS::RDS::DBInstance', {
      Properties: {
        Engine: 'postgres',
        EngineVersion: '17',
        StorageEncrypted: true,
        KmsKeyId: Match.anyValue(),
        PerformanceInsightsKMSKeyId: Match.anyValue(),
        PubliclyAccessible: false,
        DeletionProtection: true,
        DeleteAutomatedBackups: false,
        BackupRetentionPeriod: 7,
        CopyTagsToSnapshot: true,
        AutoMinorVersionUpgrade: true,
        DBInstanceIdentifier: Match.absent(),
      },
      DeletionPolicy: 'RetainExceptOnCreate',
      UpdateReplacePolicy: 'Retain',
    });
  });

  test('has the default class that the planner reads', () => {
    template.hasResourceProperties('AWS::RDS::DBInstance', { DBInstanceClass: DEFAULT_DATABASE_CLASS });
  });

  test('rejects connections without TLS', () => {
    template.hasResourceProperties('AWS::RDS::DBParameterGroup', {
      Family: 'postgres17',
      Parameters: Match.objectLike({ 'rds.force_ssl': '1' }),
    });
  });

  test('retains its secret, and has no password in the template', () => {
    template.hasResource('AWS::SecretsManager::Secret', {
      DeletionPolicy: 'RetainExceptOnCreate',
      Properties: { KmsKeyId: Match.anyValue() },
    });
    const [instance] = Object.values(template.findResources('AWS::RDS::DBInstance'));
    expect(JSON.stringify(instance?.Properties.MasterUserPassword)).toContain('{{resolve:secretsmanager:');
  });

  test('allows a client to connect, with rule ids that do not contain the id of the stack', () => {
    const { stack, vpc, database } = make();
    const { key } = new StateKey(stack, 'BoxKey');
    const box = new Box(stack, 'Box', {
      vpc,
      encryptionKey: key,
      instanceType: new InstanceType('t4g.medium'),
      dataSize: Size.gibibytes(100),
      appName: 'app',
      bundle: APP_BUNDLE,
      setupScript: 'setup.sh',
      openPorts: [],
    });
    box.addSetupDependency(database.allowFrom('Box', box, 'The app'));
    const all = templateOf(stack);
    const rules = [
      ...Object.entries(resourcesOf(all, 'AWS::EC2::SecurityGroupIngress')),
      ...Object.entries(resourcesOf(all, 'AWS::EC2::SecurityGroupEgress')),
    ];
    expect(rules.map(([id]) => id.slice(0, -8))).toEqual(['DatabaseFromBoxIngress', 'DatabaseFromBoxEgress']);
    for (const [, rule] of rules) expect(rule.Properties).toMatchObject({ FromPort: 5432, ToPort: 5432 });
    const [setup] = Object.values(resourcesOf(all, 'AWS::SSM::Association'));
    expect(setup.DependsOn).toEqual(expect.arrayContaining(rules.map(([id]) => id)));
  });

  test.each([
    ['t4g.micro', 112],
    ['t4g.medium', 450],
    ['m7g.large', 901],
    ['r7g.xlarge', 3604],
    ['r7g.2xlarge', 5000],
  ])('computes max_connections of %s as %d', (type, connections) => {
    expect(make({ instanceType: new InstanceType(type) }).database.maxConnections).toBe(connections);
  });

  test.each<[Partial<DatabaseProps>, string]>([
    [{ databaseName: 'Shop!' }, 'databaseName must be 1 to 16 lowercase letters and digits, got "Shop!".'],
    [{ allocatedStorage: Size.gibibytes(10) }, 'allocatedStorage must be from 20 to 65536 GiB, got 10 GiB.'],
    [
      { allocatedStorage: Size.gibibytes(1000) },
      'maxAllocatedStorage must be at least 10% above allocatedStorage and at most 65536 GiB, got 1000 GiB.',
    ],
    [{ backupRetention: Duration.days(36) }, 'backupRetention must be from 1 to 35 days, got 36 days.'],
  ])('rejects %j', (props, message) => {
    expect(() => make(props)).toThrow(message);
  });
});

describe('Backup', () => {
  const stack = makeStack();
  const backup = new Backup(stack, 'Backup', { encryptionKey: new StateKey(stack, 'StateKey').key });
  backup.addSelection('One', 'arn:aws:ec2:eu-west-1:123456789012:volume/vol-1');
  backup.addSelection('Other', 'arn:aws:rds:eu-west-1:123456789012:db:other');
  const template = Template.fromStack(stack);

  test('retains daily recovery points for 35 days, and the vault when the stack is deleted', () => {
    template.hasResourceProperties('AWS::Backup::BackupPlan', {
      BackupPlan: { BackupPlanRule: [{ ScheduleExpression: 'cron(0 3 * * ? *)', Lifecycle: { DeleteAfterDays: 35 } }] },
    });
    template.hasResource('AWS::Backup::BackupVault', {
      DeletionPolicy: 'RetainExceptOnCreate',
      Properties: { EncryptionKeyArn: Match.anyValue() },
    });
  });

  test('has a selection per resource, so that adding one replaces no other', () => {
    const selections = Object.values(template.findResources('AWS::Backup::BackupSelection'));
    expect(selections.map((one) => one.Properties.BackupSelection.Resources.length)).toEqual([1, 1]);
  });
});

describe('Address', () => {
  test('is HTTPS with a domain, with a record of the IP address', () => {
    const stack = makeStack();
    const address = new Address(stack, 'Address', {
      ip: '192.0.2.1',
      domainName: 'shop.example.com',
      hostedZoneId: 'Z0123456789ABC',
    });
    expect(address.url).toBe('https://shop.example.com');
    Template.fromStack(stack).hasResourceProperties('AWS::Route53::RecordSet', {
      Name: 'shop.example.com.',
      Type: 'A',
      HostedZoneId: 'Z0123456789ABC',
      ResourceRecords: ['192.0.2.1'],
    });
  });

  test('is plain HTTP without a domain', () => {
    expect(new Address(makeStack(), 'Address', { ip: '192.0.2.1' }).url).toBe('http://192.0.2.1');
  });

  test('rejects a domain without a hosted zone', () => {
    expect(() => new Address(makeStack(), 'Address', { ip: '192.0.2.1', domainName: 'a.example.com' })).toThrow(
      'domainName and hostedZoneId must be set together, got domainName a.example.com and hostedZoneId undefined.',
    );
  });
});

test('SessionSecret is random, 64 characters long, and retained', () => {
  const stack = makeStack();
  new SessionSecret(stack, 'SessionSecret', { encryptionKey: new StateKey(stack, 'StateKey').key });
  Template.fromStack(stack).hasResource('AWS::SecretsManager::Secret', {
    DeletionPolicy: 'RetainExceptOnCreate',
    Properties: { GenerateSecretString: { PasswordLength: 64 }, SecretString: Match.absent() },
  });
});

test('StateKey is rotated and retained', () => {
  const stack = makeStack();
  new StateKey(stack, 'StateKey');
  Template.fromStack(stack).hasResource('AWS::KMS::Key', {
    DeletionPolicy: 'RetainExceptOnCreate',
    Properties: { EnableKeyRotation: true },
  });
});

function policyOf(role: string) {
  return { Properties: { Roles: [{ Ref: Match.stringLikeRegexp(`^${role}`) }] } };
}
