import {
  DescribeAutoScalingGroupsCommand,
  DescribeLifecycleHooksCommand,
  DescribePoliciesCommand,
  DescribeScheduledActionsCommand,
} from '@aws-sdk/client-auto-scaling';
import { type Facts, type Kinds, only, type Properties } from './kind';

export const scaling: Kinds = {
  'AWS::AutoScaling::AutoScalingGroup': {
    expected: (p) => ({ ...group(p), hooks: hooks(p.LifecycleHookSpecificationList) }),
    found: async ({ autoScaling }, name) => {
      const describe = new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [name] });
      const found = only((await autoScaling.send(describe)).AutoScalingGroups);
      const { LifecycleHooks } = await autoScaling.send(
        new DescribeLifecycleHooksCommand({ AutoScalingGroupName: name }),
      );
      return {
        ...group({ ...found, VPCZoneIdentifier: found.VPCZoneIdentifier?.split(',') }),
        hooks: hooks(LifecycleHooks),
        instances: found.Instances?.length,
      };
    },
  },
  'AWS::AutoScaling::ScalingPolicy': {
    expected: policy,
    found: async ({ autoScaling }, arn) => {
      const name = arn.split(':policyName/')[1] as string;
      return policy(
        only((await autoScaling.send(new DescribePoliciesCommand({ PolicyNames: [name] }))).ScalingPolicies),
      );
    },
  },
  'AWS::AutoScaling::ScheduledAction': {
    expected: scheduled,
    found: async ({ autoScaling }, name) => {
      const describe = new DescribeScheduledActionsCommand({ ScheduledActionNames: [name] });
      return scheduled(only((await autoScaling.send(describe)).ScheduledUpdateGroupActions));
    },
  },
};

// Auto Scaling's API uses the property names of templates, so one function reads both.

function group(p: Properties): Facts {
  const { InstancesDistribution: mix, LaunchTemplate: template } = p.MixedInstancesPolicy ?? {};
  return {
    size: `${p.MinSize}-${p.MaxSize}`,
    health: p.HealthCheckType,
    grace: p.HealthCheckGracePeriod,
    subnets: p.VPCZoneIdentifier?.length,
    'target groups': p.TargetGroupARNs?.length ?? 0,
    types: template?.Overrides?.map((one: Properties) => one.InstanceType).join(' '),
    'on demand': mix && `${mix.OnDemandBaseCapacity} + ${mix.OnDemandPercentageAboveBaseCapacity}%`,
    spot: mix?.SpotAllocationStrategy,
    rebalanced: p.CapacityRebalance,
  };
}

function hooks(list: readonly Properties[] | undefined): string | undefined {
  return list
    ?.map((hook) => `${hook.LifecycleTransition} ${hook.HeartbeatTimeout} s, then ${hook.DefaultResult}`)
    .join('; ');
}

function policy(p: Properties): Facts {
  const tracking = p.TargetTrackingConfiguration;
  const predictive = p.PredictiveScalingConfiguration;
  const [predicted] = predictive?.MetricSpecifications ?? [];
  return {
    policy: p.PolicyType,
    metric:
      tracking?.PredefinedMetricSpecification?.PredefinedMetricType ??
      tracking?.CustomizedMetricSpecification?.Metrics?.map((one: Properties) => one.Id).join(' ') ??
      predicted?.PredefinedMetricPairSpecification?.PredefinedMetricType,
    target: tracking?.TargetValue ?? predicted?.TargetValue,
    mode: predictive?.Mode,
    // The API returns an empty list for a policy without steps.
    steps: p.StepAdjustments?.length
      ? p.StepAdjustments.map(
          (step: Properties) => `${step.ScalingAdjustment} from +${step.MetricIntervalLowerBound}`,
        ).join(' ')
      : undefined,
    'warm-up': p.EstimatedInstanceWarmup,
  };
}

function scheduled(p: Properties): Facts {
  return { min: p.MinSize, max: p.MaxSize, when: p.Recurrence, zone: p.TimeZone };
}
