import { HOURS_PER_MONTH } from '../prices/table';
import { asText, byUsage, fixed, isTrue, type Pricer } from './charges';
import { egress } from './machines';

export const natGateway: Pricer = (properties, scope) => {
  // What servers send through it: logs and calls to AWS. It is shared among the gateways, whichever they are.
  const gateways = [...scope.template.resources.values()].filter(({ Type }) => Type === 'AWS::EC2::NatGateway').length;
  return {
    charges: [
      fixed('gateway', 'nat.hour', HOURS_PER_MONTH),
      byUsage('data through it', 'nat.data', scope.usage && scope.usage.logGib / gateways),
      // A gateway without an Elastic IP of the template is private.
      ...(properties.ConnectivityType === 'public' && properties.AllocationId === undefined
        ? [fixed('public IPv4 address', 'ipv4.hour', HOURS_PER_MONTH)]
        : []),
    ],
  };
};

export const elasticIp: Pricer = () => ({ charges: [fixed('public IPv4 address', 'ipv4.hour', HOURS_PER_MONTH)] });

export const vpcEndpoint: Pricer = (properties) => {
  const type = asText(properties.VpcEndpointType, 'Gateway');
  if (type === 'Gateway') return { free: 'Gateway endpoints cost nothing' };
  if (type !== 'Interface') return { unpriced: `no price for an endpoint of type ${type}` };
  const zones = Math.max(1, properties.SubnetIds?.length ?? 1);
  return {
    charges: [
      fixed(`endpoint in ${zones} zone${zones > 1 ? 's' : ''}`, 'endpoint.hour', zones * HOURS_PER_MONTH),
      byUsage('data through it', 'endpoint.data', undefined),
    ],
  };
};

export const loadBalancer: Pricer = (properties, scope, id) => {
  const type = asText(properties.Type, 'application');
  if (type !== 'application' && type !== 'network') return { unpriced: `no price for a load balancer of type ${type}` };
  const short = type === 'application' ? 'alb' : 'nlb';
  const units = type === 'application' ? scope.usage?.albUnits : scope.usage?.nlbUnits;
  const zones = (properties.Subnets ?? properties.SubnetMappings ?? []).length;
  const open = properties.Scheme !== 'internal';
  return {
    charges: [
      fixed('load balancer', `${short}.hour`, HOURS_PER_MONTH),
      // An address in each of its zones, unless the template brings Elastic IPs, which are billed by themselves.
      ...(open && zones > 0 && properties.SubnetMappings === undefined
        ? [fixed(`${zones} public IPv4 addresses`, 'ipv4.hour', zones * HOURS_PER_MONTH)]
        : []),
      byUsage('capacity units (LCU), the largest of four', `${short}.lcu`, units && units * HOURS_PER_MONTH),
      ...egress(scope, id),
    ],
  };
};

export const distribution: Pricer = (_properties, { usage }) => ({
  charges: [
    byUsage('HTTPS requests', 'cloudfront.requests.https', usage?.requests),
    byUsage('answers to the internet', 'cloudfront.data', usage?.egressGib),
  ],
});

export const webAcl: Pricer = (properties, { usage }) => {
  const rules = properties.Rules?.length ?? 0;
  return {
    charges: [
      fixed('web ACL', 'waf.acl', 1),
      ...(rules > 0 ? [fixed(`${rules} rules`, 'waf.rule', rules)] : []),
      byUsage('requests looked at', 'waf.requests', usage?.requests),
    ],
  };
};

export const hostedZone: Pricer = () => ({
  charges: [
    fixed('zone', 'route53.zone', 1),
    // A resolver asks once per time-to-live and not once per visit.
    byUsage('queries', 'route53.queries', undefined),
  ],
});

export const healthCheck: Pricer = () => ({ charges: [fixed('health check', 'route53.healthCheck', 1)] });

export const accelerator: Pricer = (properties) =>
  isFalse(properties.Enabled)
    ? { free: 'Switched off' }
    : { charges: [fixed('accelerator', 'accelerator.hour', HOURS_PER_MONTH)] };

function isFalse(value: unknown): boolean {
  return value !== undefined && !isTrue(value);
}
