import { expectDeployed } from '../../support/deployment';
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
  ])('%s deploys, and everything that the emulator knows exists as asked', expectDeployed);
});
