import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { CloudFormationClient, CreateStackCommand } from '@aws-sdk/client-cloudformation';
import { emulatorEnv, QUIET_SDK } from '../../lib/emulator/environment';
import { type InventoryRow, judge, takeInventory } from '../../lib/emulator/inventory';
import { startMoto } from '../../lib/emulator/moto';
import { describeWith } from '../support/needs';

const ROOT = resolve(__dirname, '../..');
Object.assign(process.env, QUIET_SDK);

function deployLocal(...args: string[]): Promise<{ status: number | null; stdout: string; stderr: string }> {
  return new Promise((done) => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'bin/cli.ts', 'deploy:local', ...args], { cwd: ROOT });
    const text = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (chunk: string) => {
        text[stream] += chunk;
      });
    }
    child.once('close', (status) => done({ status, ...text }));
  });
}

describeWith('moto server', 'deploy:local, against an AWS emulator', () => {
  test.each([
    ['phase-1', ['AWS::EC2::Instance', 'AWS::EC2::Volume', 'AWS::EC2::VPC', 'AWS::SecretsManager::Secret']],
    ['phase-2', ['AWS::EC2::Instance', 'AWS::EC2::Volume', 'AWS::EC2::VPC', 'AWS::RDS::DBInstance']],
    [
      'phase-3',
      [
        'AWS::AutoScaling::AutoScalingGroup',
        'AWS::EC2::NatGateway',
        'AWS::ElastiCache::ReplicationGroup',
        'AWS::ElasticLoadBalancingV2::LoadBalancer',
        'AWS::RDS::DBInstance',
      ],
    ],
    [
      'phase-4',
      [
        'AWS::AutoScaling::AutoScalingGroup',
        'AWS::ElasticLoadBalancingV2::LoadBalancer',
        'AWS::RDS::DBProxy',
        'AWS::S3::Bucket',
        'AWS::SQS::Queue',
      ],
    ],
  ])(
    '%s deploys, and everything that the emulator knows exists as asked',
    async (phase, expected) => {
      const { status, stdout, stderr } = await deployLocal(phase, '--json');
      if (status !== 0) throw new Error(stderr);
      const rows: InventoryRow[] = JSON.parse(stdout);
      expect(rows.filter(({ verdict }) => verdict === 'missing' || verdict === 'differs')).toEqual([]);
      const there = rows.filter(({ verdict }) => verdict === 'exists').map(({ type }) => type);
      expect(there).toEqual(expect.arrayContaining(expected));
      expect(stderr).toContain(`cdk deploy ${phase}`);
    },
    180_000,
  );

  test('a context value that the CDK app refuses ends it, with the one line that says why', async () => {
    const { status, stdout, stderr } = await deployLocal('phase-1', '-c', 'size=enormous');
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr.trim().split('\n').at(-1)).toMatch(/^-c size=enormous: allowed is launch, growth,/);
  }, 120_000);

  test('the inventory names what is missing, what differs and what was skipped', async () => {
    const moto = await startMoto();
    try {
      const config = {
        endpoint: moto.endpoint,
        region: 'us-east-1',
        credentials: { accessKeyId: 'emulator', secretAccessKey: 'emulator' },
      };
      const vpc = (cidr: string) => ({ Type: 'AWS::EC2::VPC', Properties: { CidrBlock: cidr } });
      const Alarm = { Type: 'AWS::CloudWatch::Alarm', Properties: { MetricName: 'm', Threshold: 1 } };
      const deployed = { Resources: { Equal: vpc('10.0.0.0/16'), Other: vpc('10.1.0.0/16'), Alarm } };
      await new CloudFormationClient(config).send(
        new CreateStackCommand({ StackName: 'shop', TemplateBody: JSON.stringify(deployed) }),
      );
      const asked = { ...deployed.Resources, Other: vpc('10.2.0.0/16'), Absent: vpc('10.3.0.0/16') };
      const rows = await takeInventory({
        template: { Resources: asked },
        paths: new Map([['Equal', 'Shop/Network/Vpc']]),
        stackName: 'shop',
        skippedTypes: moto.skippedTypes(),
        ...config,
      });
      expect(rows.map(({ path, verdict }) => [path, verdict])).toEqual([
        ['Shop/Network/Vpc', 'exists'],
        ['Other', 'differs'],
        ['Alarm', 'skipped'],
        ['Absent', 'missing'],
      ]);
    } finally {
      await moto.stop();
    }
    expect(() => process.kill(moto.pid, 0)).toThrow('ESRCH');
  }, 120_000);
});

test('facts are compared where both sides tell them', () => {
  expect(judge({ size: '500 GiB' }, { size: '500 GiB', state: 'in-use' })).toBe('exists');
  expect(judge({ size: '500 GiB' }, { size: '8 GiB' })).toBe('differs');
  expect(judge({ size: '500 GiB' }, { size: undefined })).toBe('differs');
  expect(judge({ type: 'gp3' }, { type: 'gp2' }, ['type'])).toBe('exists');
  expect(judge({ size: '500 GiB' }, undefined)).toBe('missing');
});

test('nothing of the person’s own AWS set-up reaches a program that talks to the emulator', () => {
  const own = { AWS_PROFILE: 'production', AWS_SESSION_TOKEN: 'token', AWS_ENDPOINT_URL_S3: 'https://s3.example.com' };
  const before = { ...process.env };
  Object.assign(process.env, own, { CDK_DEFAULT_ACCOUNT: '999999999999' });
  try {
    const env = emulatorEnv('http://localhost:5000');
    for (const name of [...Object.keys(own), 'CDK_DEFAULT_ACCOUNT']) expect(env[name]).toBeUndefined();
    expect(env.AWS_ENDPOINT_URL).toBe('http://localhost:5000');
    expect(env.AWS_ACCESS_KEY_ID).toBe('emulator');
  } finally {
    process.env = before;
  }
});
