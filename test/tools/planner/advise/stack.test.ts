import { phaseTemplate } from '../../../support/templates';
import { stackOf } from './stack';

/** What metrics are read of; the emulator's CloudFormation makes no distribution, proxy or NAT gateway that tells its id. */
const WATCHED = [
  'AWS::AutoScaling::AutoScalingGroup',
  'AWS::EC2::Instance',
  'AWS::EC2::Volume',
  'AWS::ElastiCache::ReplicationGroup',
  'AWS::ElasticLoadBalancingV2::LoadBalancer',
  'AWS::ElasticLoadBalancingV2::TargetGroup',
  'AWS::RDS::DBInstance',
  'AWS::SQS::Queue',
];

const typesIn = (template: { Resources: Record<string, { Type: string }> }) => [
  ...new Set(Object.values(template.Resources).flatMap(({ Type }) => (WATCHED.includes(Type) ? [Type] : []))),
];

test.each([1, 2, 3, 4] as const)('the stack that advise is tried on has what phase %i has metrics of', (phase) => {
  const real = phaseTemplate(`phase-${phase}`) as { Resources: Record<string, { Type: string }> };
  expect(typesIn(JSON.parse(stackOf(phase))).sort()).toEqual(typesIn(real).sort());
});
