import { fullDiff, ResourceImpact } from '@aws-cdk/cloudformation-diff';
import { APP_DRAIN, APP_STOP_TIMEOUT, READINESS_GRACE } from '../../../lib/constants';
import { EdgeStack } from '../../../lib/phases/edge-parts';
import { ElasticFleet } from '../../../lib/phases/phase-4-elastic-fleet';
import type { ElasticProps } from '../../../lib/phases/shop-props';
import { ShopStack } from '../../../lib/phases/shop-stack';
import {
  APP_BUNDLE,
  DOMAIN,
  elasticVariants,
  isStateful,
  makeApp,
  makePhase,
  templateDiff,
  templateOf,
} from '../../support/stack';
import { phaseTemplate, resourcesOf } from '../../support/templates';

const template = (props: Partial<ElasticProps> = {}) => phaseTemplate('phase-4', props);
const propsOf = (name: string) => elasticVariants.find((variant) => variant.name === name)?.props;

describe('snapshots', () => {
  test('default template of phase-4', () => {
    expect(template()).toMatchSnapshot();
  });

  test.each(elasticVariants.slice(1))('differences in phase-4: $name', ({ props }) => {
    expect(templateDiff(template(), template(props))).toMatchSnapshot();
  });
});

/** Returns the only resource of a type whose logical id has this prefix. */
function singleResource(type: string, prefix: string, of = template()) {
  const found = Object.entries(resourcesOf(of, type)).filter(([id]) => id.startsWith(prefix));
  expect(found).toHaveLength(1);
  return found[0]?.[1];
}

describe('the fleet', () => {
  test('has 2 to 20 servers, and no desired capacity that a deploy would reset', () => {
    const { Properties } = singleResource('AWS::AutoScaling::AutoScalingGroup', 'ShopElasticFleet');
    expect(Properties).toMatchObject({
      MinSize: '2',
      MaxSize: '20',
      HealthCheckType: 'ELB',
      HealthCheckGracePeriod: 120,
    });
    expect(Properties.DesiredCapacity).toBeUndefined();
    const cpu = singleResource('AWS::AutoScaling::ScalingPolicy', 'ShopScalingCpu').Properties;
    expect(cpu.TargetTrackingConfiguration.TargetValue).toBe(60);
    expect(cpu.AutoScalingGroupName).toEqual({ Ref: expect.stringMatching(/^ShopElasticFleetGroup/) });
  });

  test('mixes four Graviton types of two families, with at least two On-Demand Instances and price-capacity-optimized spot', () => {
    const { Properties } = singleResource('AWS::AutoScaling::AutoScalingGroup', 'ShopElasticFleet');
    const { InstancesDistribution, LaunchTemplate } = Properties.MixedInstancesPolicy;
    expect(InstancesDistribution).toMatchObject({
      OnDemandBaseCapacity: 2,
      OnDemandPercentageAboveBaseCapacity: 0,
      SpotAllocationStrategy: 'price-capacity-optimized',
    });
    expect(Properties.CapacityRebalance).toBe(true);
    const types: string[] = LaunchTemplate.Overrides.map((one: { InstanceType: string }) => one.InstanceType);
    expect(types.length).toBeGreaterThanOrEqual(4);
    expect(new Set(types.map((type) => type.charAt(0))).size).toBeGreaterThanOrEqual(2);
    for (const type of types) expect(type).toMatch(/^[a-z]\dg[a-z]*\.large$/);
  });

  test('has only On-Demand Instances without spot', () => {
    const { MixedInstancesPolicy, CapacityRebalance } = singleResource(
      'AWS::AutoScaling::AutoScalingGroup',
      'ShopElasticFleet',
      template(propsOf('without spot')),
    ).Properties;
    expect(MixedInstancesPolicy.InstancesDistribution.OnDemandPercentageAboveBaseCapacity).toBe(100);
    expect(CapacityRebalance ?? false).toBe(false);
  });

  test('drains within the two-minute Spot interruption notice', () => {
    const { Properties } = singleResource('AWS::AutoScaling::AutoScalingGroup', 'ShopElasticFleet');
    const [hook] = Properties.LifecycleHookSpecificationList;
    const targets = singleResource('AWS::ElasticLoadBalancingV2::TargetGroup', 'ShopInternalLoadBalancer').Properties;
    const delay = targets.TargetGroupAttributes.find(
      ({ Key }: { Key: string }) => Key === 'deregistration_delay.timeout_seconds',
    );
    expect(hook.LifecycleTransition).toBe('autoscaling:EC2_INSTANCE_TERMINATING');
    expect(Number(delay.Value) + hook.HeartbeatTimeout).toBeLessThanOrEqual(110);
    expect(READINESS_GRACE + APP_DRAIN).toBeLessThan(APP_STOP_TIMEOUT);
    expect(APP_STOP_TIMEOUT).toBeLessThan(hook.HeartbeatTimeout);
  });

  // cdk-nag does not read the launch template of a mixed instances policy.
  test.each(elasticVariants)(
    'in phase 4 $name requires IMDSv2 and encrypted root volumes on every server of a mixed instances policy',
    ({ props }) => {
      const all = template(props);
      for (const { Properties } of Object.values(resourcesOf(all, 'AWS::AutoScaling::AutoScalingGroup'))) {
        const launchTemplateId =
          Properties.MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.LaunchTemplateId.Ref;
        const data = all.Resources[launchTemplateId].Properties.LaunchTemplateData;
        expect(data.MetadataOptions.HttpTokens).toBe('required');
        expect(data.BlockDeviceMappings.map(({ Ebs }: { Ebs: { Encrypted: boolean } }) => Ebs.Encrypted)).toEqual([
          true,
        ]);
        for (const one of Properties.MixedInstancesPolicy.LaunchTemplate.Overrides) {
          expect(one.LaunchTemplateSpecification).toBeUndefined();
        }
      }
    },
  );

  test('is the target of the fault drills by its Name tag, and the workers are not', () => {
    const nameOf = (prefix: string) =>
      singleResource('AWS::AutoScaling::AutoScalingGroup', prefix).Properties.Tags.find(
        ({ Key }: { Key: string }) => Key === 'Name',
      );
    const drill = singleResource('AWS::FIS::ExperimentTemplate', 'ShopFaultDrillsKillServer').Properties;
    expect(nameOf('ShopElasticFleet')).toMatchObject({
      PropagateAtLaunch: true,
      Value: drill.Targets.server.ResourceTags.Name,
    });
    expect(nameOf('ShopWorkers').Value).not.toEqual(nameOf('ShopElasticFleet').Value);
  });
});

describe('servers and workers', () => {
  const userData = (prefix: string) =>
    JSON.stringify(singleResource('AWS::EC2::LaunchTemplate', prefix).Properties.LaunchTemplateData.UserData);

  test('have settings for the queue, the proxy, the edge and the bucket of static files', () => {
    for (const prefix of ['ShopElasticFleet', 'ShopWorkers']) {
      const text = userData(prefix);
      expect(text).toContain("PHASE='4'");
      expect(text).toContain("TRUST_PROXY='2'");
      expect(text).toContain("VIEWER_PROTOCOL='https'");
      for (const name of ['QUEUE_URL', 'DATABASE_PROXY_HOST', 'REDIS_URL']) expect(text).toContain(`${name}='`);
      // 20 servers and 10 workers, and 20% more while servers are replaced.
      expect(text).toContain("MAX_SERVERS='36'");
      expect(text).not.toMatch(/resolve:secretsmanager|password/i);
    }
    expect(userData('ShopWorkers')).toContain("SCRIPT='worker.js'");
    expect(userData('ShopElasticFleet')).not.toContain('worker.js');
    expect(userData('ShopElasticFleet')).toContain("ASSETS_BUCKET='");
  });

  test('have the permissions of their role only: servers send jobs, workers receive them', () => {
    const actionsOf = (prefix: string) =>
      Object.entries(resourcesOf(template(), 'AWS::IAM::Policy'))
        .filter(([id]) => id.startsWith(prefix))
        .flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement)
        .flatMap(({ Action }) => Action as string | string[]);
    expect(actionsOf('ShopElasticFleetRole')).toEqual(expect.arrayContaining(['sqs:SendMessage', 's3:PutObject']));
    expect(actionsOf('ShopElasticFleetRole')).not.toContain('sqs:ReceiveMessage');
    expect(actionsOf('ShopWorkersRole')).toEqual(expect.arrayContaining(['sqs:ReceiveMessage', 'sqs:DeleteMessage']));
    expect(actionsOf('ShopWorkersRole')).not.toContain('s3:PutObject');
    for (const prefix of ['ShopElasticFleetRole', 'ShopWorkersRole']) {
      expect(actionsOf(prefix).filter((action) => action.includes('*'))).toEqual([]);
    }
  });
});

describe('phase 4', () => {
  test.each(elasticVariants)('$name retains its state when the stack is deleted', ({ props }) => {
    for (const [name, resource] of Object.entries(template(props).Resources)) {
      if (isStateful(resource)) expect([name, resource.DeletionPolicy]).toEqual([name, 'RetainExceptOnCreate']);
    }
  });

  test('has no phase in a name, tag or id, and no Lambda function', () => {
    const { Outputs, ...rest } = template();
    expect(JSON.stringify(rest).match(/.{60}phase-?\d.{20}/g)).toBeNull();
    expect(Outputs?.Phase.Value).toBe('4');
    expect(resourcesOf(template(), 'AWS::Lambda::Function')).toEqual({});
  });

  test('always serves visitors over HTTPS, and uses HTTPS to the load balancer with a domain', () => {
    const listeners = (props: Partial<ElasticProps>) =>
      Object.values(resourcesOf(template(props), 'AWS::ElasticLoadBalancingV2::Listener')).map(
        ({ Properties }) => Properties.Protocol,
      );
    expect(listeners({})).toEqual(['HTTP']);
    expect(listeners(DOMAIN)).toEqual(['HTTPS']);
    expect(makePhase('phase-4').shop.address.url).toMatch(/^https:/);
    const warned = makePhase('phase-4').shop.address.node.metadata.filter(({ type }) => type === 'aws:cdk:warning');
    expect(warned).toEqual([]);
  });

  test('lets only CloudFront reach the internal load balancer', () => {
    const balancer = singleResource('AWS::ElasticLoadBalancingV2::LoadBalancer', 'ShopInternalLoadBalancer');
    expect(balancer.Properties.Scheme).toBe('internal');
    const group = singleResource('AWS::EC2::SecurityGroup', 'ShopInternalLoadBalancer').Properties;
    const separateRules = Object.values(resourcesOf(template(), 'AWS::EC2::SecurityGroupIngress')).filter(
      ({ Properties }) => Properties.SourcePrefixListId,
    );
    // The prefix list counts as 55 of 60 rules, so it fits once.
    const rules = [...(group.SecurityGroupIngress ?? []), ...separateRules.map(({ Properties }) => Properties)];
    expect(rules.map(({ FromPort, SourcePrefixListId }) => [FromPort, Object.keys(SourcePrefixListId)])).toEqual([
      [80, ['Fn::FindInMap']],
    ]);
  });
});

describe('from phase 3 to phase 4', () => {
  const before = phaseTemplate('phase-3', DOMAIN);
  const after = template(DOMAIN);
  const diff = fullDiff(before, after);

  test('no remaining resource is replaced', () => {
    const touched: string[] = [];
    diff.resources.forEachDifference((id, change) => {
      if (change.isAddition || change.isRemoval) return;
      if (change.changeImpact !== ResourceImpact.WILL_UPDATE) touched.push(`${id}: ${change.changeImpact}`);
    });
    expect(touched).toEqual([]);
  });

  test('no database, replica, cache, secret, vault or network changes', () => {
    const unchangedTypes =
      /^AWS::(RDS::DB(Instance|SubnetGroup|ParameterGroup)|ElastiCache|SecretsManager|Backup::BackupVault|EC2::(VPC|Subnet|NatGateway))/;
    for (const [id, resource] of Object.entries(before.Resources)) {
      if (unchangedTypes.test(resource.Type)) expect({ id, resource: after.Resources[id] }).toEqual({ id, resource });
    }
  });

  test('only the public load balancer, its servers and their parts are removed', () => {
    const removed = Object.keys(before.Resources).filter((id) => !after.Resources[id]);
    expect(
      removed.filter((id) => !/^Shop(LoadBalancer|Fleet|DatabaseFromFleet|SessionCacheFromFleet)/.test(id)),
    ).toEqual([]);
    const stateful = removed.filter((id) => isStateful(before.Resources[id]));
    expect(stateful.map((id) => before.Resources[id].Type).sort()).toEqual(['AWS::Logs::LogGroup', 'AWS::S3::Bucket']);
    for (const id of stateful) expect(before.Resources[id].DeletionPolicy).toBe('RetainExceptOnCreate');
  });

  test('the one record of the domain moves to the edge after the fleet is healthy', () => {
    const [id] = Object.keys(resourcesOf(before, 'AWS::Route53::RecordSet'));
    const record = after.Resources[id as string];
    expect(Object.keys(resourcesOf(after, 'AWS::Route53::RecordSet'))).toEqual([id]);
    expect(JSON.stringify(record.Properties.AliasTarget)).toContain('ShopEdgeDistribution');
    expect(record.DependsOn).toEqual([expect.stringMatching(/^ShopElasticFleetGroup/)]);
  });

  test('the outputs for operators remain', () => {
    expect(Object.keys(after.Outputs ?? {})).toEqual(expect.arrayContaining(Object.keys(before.Outputs ?? {})));
  });
});

describe('a later deploy of phase 4', () => {
  test('with more servers replaces nothing', () => {
    const diff = fullDiff(template(), template({ maxServers: 40 }));
    const impacts = new Set<string>();
    diff.resources.forEachDifference((_, change) => {
      impacts.add(change.changeImpact);
    });
    expect([...impacts]).toEqual(['WILL_UPDATE']);
  });
});

describe('a shop in another region', () => {
  const app = makeApp();
  const edge = new EdgeStack(app, 'phase-4-edge', DOMAIN);
  const stack = new ShopStack(app, 'phase-4');
  new ElasticFleet(stack, 'Shop', { appBundle: APP_BUNDLE, ...DOMAIN, edgeParts: edge.exportTo(stack) });

  test('has its web ACL and certificate in a companion stack in us-east-1 that deploys first', () => {
    expect([edge.region, edge.stackName]).toEqual(['us-east-1', 'shop-edge']);
    expect(Object.keys(resourcesOf(templateOf(edge), 'AWS::WAFv2::WebACL'))).toHaveLength(1);
    expect(Object.keys(templateOf(edge).Outputs ?? {})).toEqual(['WebAclArn', 'CertificateArn']);
    expect(stack.dependencies).toEqual([edge]);
  });

  test('reads both from the companion stack, without a Lambda function or a second web ACL', () => {
    const all = templateOf(stack);
    expect(resourcesOf(all, 'AWS::WAFv2::WebACL')).toEqual({});
    expect(resourcesOf(all, 'AWS::Lambda::Function')).toEqual({});
    const config = singleResource('AWS::CloudFront::Distribution', 'ShopEdge', all).Properties.DistributionConfig;
    const output = (OutputName: string) => ({
      'Fn::GetStackOutput': { StackName: 'shop-edge', OutputName, Region: 'us-east-1' },
    });
    expect(config.WebACLId).toEqual(output('WebAclArn'));
    expect(config.ViewerCertificate.AcmCertificateArn).toEqual(output('CertificateArn'));
  });
});
