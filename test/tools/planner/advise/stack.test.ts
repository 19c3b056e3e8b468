import { phaseTemplate } from '../../../support/templates';
import { stackOf } from './stack';

/** Resource types with metrics. The emulator's CloudFormation returns no ids of distributions, proxies and NAT gateways. */
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

test.each([1, 2, 3, 4] as const)('the test stack has the monitored resource types of phase %i', (phase) => {
  const real = phaseTemplate(`phase-${phase}`) as { Resources: Record<string, { Type: string }> };
  expect(typesIn(JSON.parse(stackOf(phase))).sort()).toEqual(typesIn(real).sort());
});
