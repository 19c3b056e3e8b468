import { deployLocal, expectDeployed } from '../../support/deployment';
import { describeWith } from '../../support/needs';

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
  ])('%s deploys, and every resource of a supported type matches the template', expectDeployed);

  test('a context value that the CDK app rejects ends the command with a one-line error', async () => {
    const { status, stdout, stderr } = await deployLocal('phase-1', '-c', 'size=enormous');
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr.trim().split('\n').at(-1)).toMatch(/^-c size must be one of launch, growth, .*, got "enormous"\.$/);
  });
});
