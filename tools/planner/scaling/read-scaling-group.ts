import type { Template, TemplateResource } from '../../cloudformation/template';
import { UsageError } from '../../support/usage-error';
import type {
  AdjustmentType,
  AlarmRule,
  MetricKind,
  ScalingGroup,
  ScalingPolicy,
  ScheduledAction,
  StepAdjustment,
} from './scaling-group';

export interface ReadOptions {
  /**
   * Logical id of the group, or a unique part of it.
   *
   * @default - the only group, or the only one behind a load balancer
   */
  readonly group?: string;
}

export const SCALING_GROUP = 'AWS::AutoScaling::AutoScalingGroup';
const OTHER_TARGET = 'AWS::ApplicationAutoScaling::ScalableTarget';

/**
 * Reads an Auto Scaling group and its scaling policies from any synthesized template.
 *
 * @throws UsageError when no group matches, or several do
 */
export function readScalingGroup(template: Template, options: ReadOptions = {}): ScalingGroup {
  return new TemplateReader(template).group(options.group);
}

// biome-ignore lint/suspicious/noExplicitAny: properties of a template are JSON of any shape
type Properties = any;

class TemplateReader {
  private readonly notModelled: string[] = [];

  constructor(private readonly template: Template) {}

  group(wanted: string | undefined): ScalingGroup {
    const id = this.choose(wanted);
    const properties = this.properties(id);
    const { detailedMonitoring, instanceTypes } = this.launch(properties);
    const distribution = properties.MixedInstancesPolicy?.InstancesDistribution;
    const targetGroup = this.properties(refOf(properties.TargetGroupARNs?.[0]) ?? '');
    if (properties.MixedInstancesPolicy?.LaunchTemplate?.Overrides?.some((one: Properties) => one.WeightedCapacity)) {
      this.notModelled.push('WeightedCapacity of instance types: every instance counts as one.');
    }
    for (const target of this.idsOf(OTHER_TARGET)) {
      this.notModelled.push(`${target}: a target of Application Auto Scaling, such as an ECS service.`);
    }
    return {
      id,
      minSize: this.number(properties.MinSize, `${id} MinSize`),
      maxSize: this.number(properties.MaxSize, `${id} MaxSize`),
      desiredCapacity: this.optional(properties.DesiredCapacity, `${id} DesiredCapacity`),
      defaultCooldown: this.optional(properties.Cooldown, `${id} Cooldown`) ?? 300,
      defaultWarmup: this.optional(properties.DefaultInstanceWarmup, `${id} DefaultInstanceWarmup`),
      healthCheckType: String(properties.HealthCheckType ?? 'EC2').includes('ELB') ? 'ELB' : 'EC2',
      healthCheckGrace: this.optional(properties.HealthCheckGracePeriod, `${id} HealthCheckGracePeriod`) ?? 0,
      healthCheckSeconds: properties.TargetGroupARNs
        ? // Defaults of a target group with instance targets.
          (this.optional(targetGroup.HealthCheckIntervalSeconds, 'HealthCheckIntervalSeconds') ?? 30) *
          (this.optional(targetGroup.HealthyThresholdCount, 'HealthyThresholdCount') ?? 5)
        : 0,
      drainSeconds: this.drain(properties, targetGroup),
      purchase: {
        onDemandBase: this.optional(distribution?.OnDemandBaseCapacity, 'OnDemandBaseCapacity') ?? 0,
        onDemandPercentage:
          this.optional(distribution?.OnDemandPercentageAboveBaseCapacity, 'OnDemandPercentageAboveBaseCapacity') ??
          100,
      },
      capacityRebalance: properties.CapacityRebalance === true,
      detailedMonitoring,
      instanceTypes,
      policies: this.policies(id),
      schedule: this.schedule(id),
      notModelled: this.notModelled,
    };
  }

  private choose(wanted: string | undefined): string {
    const ids = this.idsOf(SCALING_GROUP);
    if (ids.length === 0) {
      const others = this.idsOf(OTHER_TARGET);
      throw new UsageError(
        others.length === 0
          ? `The template has no ${SCALING_GROUP}.`
          : `The template has no ${SCALING_GROUP}. Targets of Application Auto Scaling, such as ECS services, are not modeled: ${others.join(', ')}.`,
      );
    }
    const matching = wanted === undefined ? ids : ids.filter((id) => id === wanted || id.includes(wanted));
    const serving = matching.filter((id) => this.properties(id).TargetGroupARNs !== undefined);
    const [id] = matching.length === 1 ? matching : wanted === undefined && serving.length === 1 ? serving : [];
    if (id !== undefined) return id;
    const allowed = `--group must match one of ${ids.join(', ')}`;
    throw new UsageError(`${allowed}${wanted === undefined ? '' : `, got ${wanted}`}.`);
  }

  private launch(properties: Properties): Pick<ScalingGroup, 'detailedMonitoring' | 'instanceTypes'> {
    const mixed = properties.MixedInstancesPolicy?.LaunchTemplate;
    const specification = mixed?.LaunchTemplateSpecification ?? properties.LaunchTemplate;
    const data = this.properties(refOf(specification?.LaunchTemplateId) ?? '').LaunchTemplateData ?? {};
    const configuration = this.properties(refOf(properties.LaunchConfigurationName) ?? '');
    const overrides = (mixed?.Overrides ?? []).map((one: Properties) => one.InstanceType);
    const types = overrides.length > 0 ? overrides : [data.InstanceType ?? configuration.InstanceType];
    return {
      // Detailed monitoring is on by default in a launch configuration, and off in a launch template.
      detailedMonitoring: properties.LaunchConfigurationName
        ? configuration.InstanceMonitoring !== false
        : data.Monitoring?.Enabled === true,
      instanceTypes: types
        .map((type: unknown) => this.resolve(type))
        .filter((type: unknown) => typeof type === 'string'),
    };
  }

  private drain(properties: Properties, targetGroup: Properties): number {
    const attribute = (targetGroup.TargetGroupAttributes ?? []).find(
      ({ Key }: Properties) => Key === 'deregistration_delay.timeout_seconds',
    );
    const deregistration = properties.TargetGroupARNs
      ? (this.optional(attribute?.Value, 'deregistration delay') ?? 300)
      : 0;
    const hooks: Properties[] = properties.LifecycleHookSpecificationList ?? [];
    const ending = hooks.filter(({ LifecycleTransition }) => String(LifecycleTransition).endsWith('TERMINATING'));
    const waits = ending.map(({ HeartbeatTimeout }) => this.optional(HeartbeatTimeout, 'HeartbeatTimeout') ?? 3600);
    return deregistration + Math.max(0, ...waits);
  }

  private policies(group: string): ScalingPolicy[] {
    return this.idsOf('AWS::AutoScaling::ScalingPolicy')
      .filter((id) => this.belongsTo(group, this.properties(id).AutoScalingGroupName))
      .map((id) => this.policy(id))
      .filter((policy) => policy !== undefined);
  }

  private policy(id: string): ScalingPolicy | undefined {
    const properties = this.properties(id);
    switch (properties.PolicyType ?? 'SimpleScaling') {
      case 'TargetTrackingScaling':
        return this.targetTracking(id, properties);
      case 'StepScaling':
        return {
          kind: 'step',
          id,
          ...this.adjustment(id, properties),
          steps: properties.StepAdjustments.map((step: Properties) => this.step(id, step)),
          alarms: this.alarmsOf(id),
          warmup: this.optional(properties.EstimatedInstanceWarmup, `${id} EstimatedInstanceWarmup`),
        };
      case 'SimpleScaling':
        return {
          kind: 'simple',
          id,
          ...this.adjustment(id, properties),
          adjustment: this.number(properties.ScalingAdjustment, `${id} ScalingAdjustment`),
          cooldown: this.optional(properties.Cooldown, `${id} Cooldown`),
          alarms: this.alarmsOf(id),
        };
      case 'PredictiveScaling':
        return this.predictive(id, properties);
      default:
        return this.leaveOut(`Policy ${id}: unknown type ${properties.PolicyType}.`);
    }
  }

  private targetTracking(id: string, properties: Properties): ScalingPolicy | undefined {
    const configuration = properties.TargetTrackingConfiguration;
    const metric =
      predefinedMetric(configuration.PredefinedMetricSpecification?.PredefinedMetricType) ??
      customMetric(configuration.CustomizedMetricSpecification);
    if (!metric)
      return this.leaveOut(`Policy ${id}: the metric is not CPU, requests per target or backlog per instance.`);
    return {
      kind: 'target tracking',
      id,
      metric,
      target: this.number(configuration.TargetValue, `${id} TargetValue`),
      disableScaleIn: configuration.DisableScaleIn === true,
      warmup: this.optional(properties.EstimatedInstanceWarmup, `${id} EstimatedInstanceWarmup`),
    };
  }

  private predictive(id: string, properties: Properties): ScalingPolicy | undefined {
    const configuration = properties.PredictiveScalingConfiguration;
    const [specification, more] = configuration.MetricSpecifications;
    const pair = specification.PredefinedMetricPairSpecification?.PredefinedMetricType;
    const metric = pair === 'ASGCPUUtilization' ? 'cpu' : pair === 'ALBRequestCount' ? 'requestsPerTarget' : undefined;
    if (!metric || more) {
      return this.leaveOut(`Policy ${id}: predictive scaling on metrics other than the CPU or ALB request pair.`);
    }
    return {
      kind: 'predictive',
      id,
      mode: configuration.Mode ?? 'ForecastOnly',
      metric,
      target: this.number(specification.TargetValue, `${id} TargetValue`),
      bufferTime: this.optional(configuration.SchedulingBufferTime, `${id} SchedulingBufferTime`) ?? 300,
      maxCapacityBreach: configuration.MaxCapacityBreachBehavior ?? 'HonorMaxCapacity',
      maxCapacityBuffer: this.optional(configuration.MaxCapacityBuffer, `${id} MaxCapacityBuffer`) ?? 0,
    };
  }

  private adjustment(id: string, properties: Properties) {
    return {
      adjustmentType: properties.AdjustmentType as AdjustmentType,
      minAdjustmentMagnitude: this.optional(properties.MinAdjustmentMagnitude, `${id} MinAdjustmentMagnitude`),
    };
  }

  private step(id: string, step: Properties): StepAdjustment {
    return {
      lower: this.optional(step.MetricIntervalLowerBound, `${id} MetricIntervalLowerBound`),
      upper: this.optional(step.MetricIntervalUpperBound, `${id} MetricIntervalUpperBound`),
      adjustment: this.number(step.ScalingAdjustment, `${id} ScalingAdjustment`),
    };
  }

  /** Rules of the alarms that invoke a policy. */
  private alarmsOf(policy: string): AlarmRule[] {
    const alarms = this.idsOf('AWS::CloudWatch::Alarm').filter((id) =>
      (this.properties(id).AlarmActions ?? []).some((action: unknown) => refOf(action) === policy),
    );
    const rules = alarms.map((id) => this.alarm(id)).filter((rule) => rule !== undefined);
    if (rules.length === 0) this.notModelled.push(`Policy ${policy}: no modeled alarm of the template invokes it.`);
    return rules;
  }

  private alarm(id: string): AlarmRule | undefined {
    const alarm = this.properties(id);
    const metric = metricNamed(alarm.Namespace, alarm.MetricName);
    const comparison = COMPARISONS[String(alarm.ComparisonOperator)];
    if (alarm.Metrics) return this.leaveOut(`Alarm ${id}: metric math expressions are not modeled.`);
    if (!metric || !comparison) return this.leaveOut(`Alarm ${id}: the metric or comparison is not modeled.`);
    const evaluationPeriods = this.number(alarm.EvaluationPeriods, `${id} EvaluationPeriods`);
    return {
      metric,
      comparison,
      threshold: this.number(alarm.Threshold, `${id} Threshold`),
      period: this.optional(alarm.Period, `${id} Period`) ?? 60,
      statistic: alarm.Statistic === 'Maximum' || alarm.Statistic === 'Minimum' ? alarm.Statistic : 'Average',
      evaluationPeriods,
      datapointsToAlarm: this.optional(alarm.DatapointsToAlarm, `${id} DatapointsToAlarm`) ?? evaluationPeriods,
      missing: alarm.TreatMissingData ?? 'missing',
    };
  }

  private schedule(group: string): ScheduledAction[] {
    return this.idsOf('AWS::AutoScaling::ScheduledAction')
      .filter((id) => this.belongsTo(group, this.properties(id).AutoScalingGroupName))
      .map((id) => {
        const action = this.properties(id);
        return {
          id,
          recurrence: action.Recurrence,
          timeZone: action.TimeZone ?? 'Etc/UTC',
          start: unixSeconds(action.StartTime),
          end: unixSeconds(action.EndTime),
          minSize: this.optional(action.MinSize, `${id} MinSize`),
          maxSize: this.optional(action.MaxSize, `${id} MaxSize`),
          desiredCapacity: this.optional(action.DesiredCapacity, `${id} DesiredCapacity`),
        };
      });
  }

  private leaveOut(reason: string): undefined {
    this.notModelled.push(reason);
    return undefined;
  }

  private idsOf(type: string): string[] {
    return Object.entries(this.template.Resources)
      .filter(([, resource]: [string, TemplateResource]) => resource.Type === type)
      .map(([id]) => id);
  }

  private properties(id: string): Properties {
    return this.template.Resources[id]?.Properties ?? {};
  }

  private belongsTo(group: string, name: unknown): boolean {
    const given = this.properties(group).AutoScalingGroupName;
    return refOf(name) === group || (typeof name === 'string' && name === given);
  }

  private optional(value: unknown, what: string): number | undefined {
    return value === undefined ? undefined : this.number(value, what);
  }

  private number(value: unknown, what: string): number {
    const resolved = this.resolve(value);
    const number = typeof resolved === 'string' && resolved.trim() !== '' ? Number(resolved) : resolved;
    if (typeof number === 'number' && Number.isFinite(number)) return number;
    throw new UsageError(
      `${what} in the template must be a number, or a parameter with a number as its default, got ${JSON.stringify(value)}.`,
    );
  }

  /** Resolves a parameter reference to its default, and returns other values unchanged. */
  private resolve(value: unknown): unknown {
    const parameter = refOf(value);
    return parameter === undefined ? value : this.template.Parameters?.[parameter]?.Default;
  }
}

const COMPARISONS: Readonly<Record<string, AlarmRule['comparison']>> = {
  GreaterThanThreshold: 'above',
  GreaterThanOrEqualToThreshold: 'at or above',
  LessThanThreshold: 'below',
  LessThanOrEqualToThreshold: 'at or below',
};

function predefinedMetric(type: unknown): MetricKind | undefined {
  if (type === 'ASGAverageCPUUtilization') return 'cpu';
  return type === 'ALBRequestCountPerTarget' ? 'requestsPerTarget' : undefined;
}

function metricNamed(namespace: unknown, name: unknown): MetricKind | undefined {
  if (namespace === 'AWS/EC2' && name === 'CPUUtilization') return 'cpu';
  return namespace === 'AWS/ApplicationELB' && name === 'RequestCountPerTarget' ? 'requestsPerTarget' : undefined;
}

/** Recognizes a customized metric: a known name, or queue messages divided by instances. */
function customMetric(specification: Properties): MetricKind | undefined {
  if (!specification?.Metrics) return metricNamed(specification?.Namespace, specification?.MetricName);
  const namespaces = specification.Metrics.map((one: Properties) => one.MetricStat?.Metric?.Namespace);
  return namespaces.includes('AWS/SQS') && namespaces.includes('AWS/AutoScaling') ? 'backlogPerInstance' : undefined;
}

/** Logical id of a `Ref` or `Fn::GetAtt`. */
function refOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { Ref, 'Fn::GetAtt': attribute } = value as { Ref?: string; 'Fn::GetAtt'?: string | string[] };
  return Ref ?? (Array.isArray(attribute) ? attribute[0] : attribute?.split('.')[0]);
}

function unixSeconds(time: unknown): number | undefined {
  return typeof time === 'string' ? Date.parse(time) / 1000 : undefined;
}
