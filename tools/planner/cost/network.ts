import { HOURS_PER_MONTH } from '../prices/table';
import { asText, byUsage, fixed, isTrue, type Pricer } from './charges';
import { egress } from './machines';

export const natGateway: Pricer = (properties, scope) => {
  // Servers send logs and AWS API calls through NAT gateways, evenly distributed.
  const gateways = [...scope.template.resources.values()].filter(({ Type }) => Type === 'AWS::EC2::NatGateway').length;
  return {
    charges: [
      fixed('gateway', 'nat.hour', HOURS_PER_MONTH),
      byUsage('data processed', 'nat.data', scope.usage && scope.usage.logGib / gateways),
      // Only a public gateway without an Elastic IP in the template has an extra address.
      ...(properties.ConnectivityType === 'public' && properties.AllocationId === undefined
        ? [fixed('public IPv4 address', 'ipv4.hour', HOURS_PER_MONTH)]
        : []),
    ],
  };
};

export const elasticIp: Pricer = () => ({ charges: [fixed('public IPv4 address', 'ipv4.hour', HOURS_PER_MONTH)] });

export const vpcEndpoint: Pricer = (properties) => {
  const type = asText(properties.VpcEndpointType, 'Gateway');
  if (type === 'Gateway') return { free: 'Gateway endpoints are free' };
  if (type !== 'Interface') return { unpriced: `no price for endpoint type ${type}` };
  const zones = Math.max(1, properties.SubnetIds?.length ?? 1);
  return {
    charges: [
      fixed(`endpoint in ${zones} zone${zones > 1 ? 's' : ''}`, 'endpoint.hour', zones * HOURS_PER_MONTH),
      byUsage('data processed', 'endpoint.data', undefined),
    ],
  };
};

export const loadBalancer: Pricer = (properties, scope, id) => {
  const type = asText(properties.Type, 'application');
  if (type !== 'application' && type !== 'network') return { unpriced: `no price for load balancer type ${type}` };
  const short = type === 'application' ? 'alb' : 'nlb';
  const units = type === 'application' ? scope.usage?.albUnits : scope.usage?.nlbUnits;
  const zones = (properties.Subnets ?? properties.SubnetMappings ?? []).length;
  const open = properties.Scheme !== 'internal';
  return {
    charges: [
      fixed('load balancer', `${short}.hour`, HOURS_PER_MONTH),
      // One address per zone, unless subnet mappings bring Elastic IPs, which are billed as their own resources.
      ...(open && zones > 0 && properties.SubnetMappings === undefined
        ? [fixed(`${zones} public IPv4 addresses`, 'ipv4.hour', zones * HOURS_PER_MONTH)]
        : []),
      byUsage('capacity units (LCU), largest of four dimensions', `${short}.lcu`, units && units * HOURS_PER_MONTH),
      ...egress(scope, id),
    ],
  };
};

export const distribution: Pricer = (_properties, { usage }) => ({
  charges: [
    byUsage('HTTPS requests', 'cloudfront.requests.https', usage?.requests),
    byUsage('data transfer to the internet', 'cloudfront.data', usage?.egressGib),
  ],
});

export const webAcl: Pricer = (properties, { usage }) => {
  const rules = properties.Rules?.length ?? 0;
  return {
    charges: [
      fixed('web ACL', 'waf.acl', 1),
      ...(rules > 0 ? [fixed(`${rules} rules`, 'waf.rule', rules)] : []),
      byUsage('requests inspected', 'waf.requests', usage?.requests),
    ],
  };
};

export const hostedZone: Pricer = () => ({
  charges: [
    fixed('zone', 'route53.zone', 1),
    // Resolvers query once per TTL, not once per visit.
    byUsage('queries', 'route53.queries', undefined),
  ],
});

export const healthCheck: Pricer = () => ({ charges: [fixed('health check', 'route53.healthCheck', 1)] });

export const accelerator: Pricer = (properties) =>
  isFalse(properties.Enabled)
    ? { free: 'Disabled' }
    : { charges: [fixed('accelerator', 'accelerator.hour', HOURS_PER_MONTH)] };

function isFalse(value: unknown): boolean {
  return value !== undefined && !isTrue(value);
}
