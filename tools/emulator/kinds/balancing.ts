import {
  DescribeListenersCommand,
  DescribeLoadBalancerAttributesCommand,
  DescribeLoadBalancersCommand,
  DescribeTargetGroupAttributesCommand,
  DescribeTargetGroupsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { type Facts, type Kinds, only } from './kind';

export const balancing: Kinds = {
  'AWS::ElasticLoadBalancingV2::LoadBalancer': {
    expected: (p) => ({
      type: p.Type,
      scheme: p.Scheme,
      subnets: p.Subnets?.length,
      ...byName(p.LoadBalancerAttributes),
    }),
    found: async ({ balancing }, arn, expected) => {
      const { LoadBalancers } = await balancing.send(new DescribeLoadBalancersCommand({ LoadBalancerArns: [arn] }));
      const balancer = only(LoadBalancers);
      const described = new DescribeLoadBalancerAttributesCommand({ LoadBalancerArn: arn });
      return {
        ...attributesIn((await balancing.send(described)).Attributes, expected),
        type: balancer.Type,
        scheme: balancer.Scheme,
        subnets: balancer.AvailabilityZones?.length,
      };
    },
  },
  'AWS::ElasticLoadBalancingV2::TargetGroup': {
    expected: (p) => ({
      protocol: p.Protocol,
      port: p.Port,
      targets: p.TargetType,
      'health check': p.HealthCheckPath,
      by: p.HealthCheckProtocol,
      every: p.HealthCheckIntervalSeconds,
      within: p.HealthCheckTimeoutSeconds,
      healthy: p.HealthyThresholdCount,
      unhealthy: p.UnhealthyThresholdCount,
      code: p.Matcher?.HttpCode,
      ...byName(p.TargetGroupAttributes),
    }),
    found: async ({ balancing }, arn, expected) => {
      const { TargetGroups } = await balancing.send(new DescribeTargetGroupsCommand({ TargetGroupArns: [arn] }));
      const group = only(TargetGroups);
      const described = new DescribeTargetGroupAttributesCommand({ TargetGroupArn: arn });
      return {
        ...attributesIn((await balancing.send(described)).Attributes, expected),
        protocol: group.Protocol,
        port: group.Port,
        targets: group.TargetType,
        'health check': group.HealthCheckPath,
        by: group.HealthCheckProtocol,
        every: group.HealthCheckIntervalSeconds,
        within: group.HealthCheckTimeoutSeconds,
        healthy: group.HealthyThresholdCount,
        unhealthy: group.UnhealthyThresholdCount,
        code: group.Matcher?.HttpCode,
      };
    },
  },
  'AWS::ElasticLoadBalancingV2::Listener': {
    expected: (p) => ({
      protocol: p.Protocol,
      port: p.Port,
      'TLS policy': p.SslPolicy,
      does: p.DefaultActions?.[0]?.Type,
    }),
    found: async ({ balancing }, arn) => {
      const listener = only((await balancing.send(new DescribeListenersCommand({ ListenerArns: [arn] }))).Listeners);
      return {
        protocol: listener.Protocol,
        port: listener.Port,
        'TLS policy': listener.SslPolicy,
        does: listener.DefaultActions?.[0]?.Type,
      };
    },
  },
};

interface Attribute {
  readonly Key?: string;
  readonly Value?: unknown;
}

function byName(attributes: readonly Attribute[] = []): Facts {
  return Object.fromEntries(attributes.map(({ Key, Value }) => [Key, Value]));
}

/** Keeps the attributes that the template sets. The service returns all of them. */
function attributesIn(attributes: readonly Attribute[] | undefined, expected: Facts): Facts {
  const all = byName(attributes);
  return Object.fromEntries(Object.keys(expected).map((name) => [name, all[name]]));
}
