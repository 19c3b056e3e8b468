import { NESTED_STACK, type TemplateResource } from '../../cloudformation/template';
import type { Pricer, Pricing, PricingContext } from './charges';
import {
  backupSelection,
  cacheCluster,
  databaseCluster,
  databaseInstance,
  databaseProxy,
  dynamoTable,
  replicationGroup,
} from './databases';
import { volume } from './disks';
import { freeTypes } from './free';
import { autoScalingGroup, instance } from './machines';
import {
  accelerator,
  distribution,
  elasticIp,
  healthCheck,
  hostedZone,
  loadBalancer,
  natGateway,
  vpcEndpoint,
  webAcl,
} from './network';
import { alarm, bucket, dashboard, key, lambda, logGroup, queue, secret } from './services';

/** Pricers by resource type. */
export const pricers: Readonly<Record<string, Pricer>> = {
  'AWS::AutoScaling::AutoScalingGroup': autoScalingGroup,
  'AWS::Backup::BackupSelection': backupSelection,
  'AWS::CloudFront::Distribution': distribution,
  'AWS::CloudWatch::Alarm': alarm,
  'AWS::CloudWatch::Dashboard': dashboard,
  'AWS::DynamoDB::Table': dynamoTable,
  'AWS::EC2::EIP': elasticIp,
  'AWS::EC2::Instance': instance,
  'AWS::EC2::NatGateway': natGateway,
  'AWS::EC2::Volume': volume,
  'AWS::EC2::VPCEndpoint': vpcEndpoint,
  'AWS::ElastiCache::CacheCluster': cacheCluster,
  'AWS::ElastiCache::ReplicationGroup': replicationGroup,
  'AWS::ElasticLoadBalancingV2::LoadBalancer': loadBalancer,
  'AWS::GlobalAccelerator::Accelerator': accelerator,
  'AWS::KMS::Key': key,
  'AWS::Lambda::Function': lambda,
  'AWS::Logs::LogGroup': logGroup,
  'AWS::RDS::DBCluster': databaseCluster,
  'AWS::RDS::DBInstance': databaseInstance,
  'AWS::RDS::DBProxy': databaseProxy,
  'AWS::Route53::HealthCheck': healthCheck,
  'AWS::Route53::HostedZone': hostedZone,
  'AWS::S3::Bucket': bucket,
  'AWS::SecretsManager::Secret': secret,
  'AWS::SQS::Queue': queue,
  'AWS::WAFv2::WebACL': webAcl,
};

/** Prices a resource. An unknown type is unpriced. */
export function priceResource({ Type, Properties = {} }: TemplateResource, id: string, scope: PricingContext): Pricing {
  const why = freeTypes.get(Type);
  if (why !== undefined) return { free: why };
  if (Type === 'AWS::SSM::Parameter') {
    return Properties.Tier === 'Advanced'
      ? { unpriced: 'no price for advanced parameters' }
      : { free: 'Standard parameters' };
  }
  if (/^(Custom::|AWS::CloudFormation::CustomResource$)/.test(Type))
    return { free: 'Billed with the resources of its provider' };
  if (Type === NESTED_STACK) {
    const problem = scope.unread(id);
    return problem ? { unpriced: problem } : { free: 'Nested stacks, billed with their resources' };
  }
  const pricer = pricers[Type];
  if (pricer === undefined) return { unpriced: `no price for ${Type}` };
  return pricer(Properties, scope, id);
}

/** Counts listener rules, without default actions. */
export function listenerRules(resources: Iterable<TemplateResource>): number {
  return [...resources].filter(({ Type }) => Type === 'AWS::ElasticLoadBalancingV2::ListenerRule').length;
}
