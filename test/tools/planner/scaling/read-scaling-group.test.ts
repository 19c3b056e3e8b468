import type { Template } from '../../../../tools/cloudformation/template';
import { readScalingGroup } from '../../../../tools/planner/scaling/read-scaling-group';
import { UsageError } from '../../../../tools/support/usage-error';
import { phaseTemplate } from '../../../support/templates';

const group = (properties: object = {}) => ({
  Type: 'AWS::AutoScaling::AutoScalingGroup',
  Properties: { MinSize: '1', MaxSize: '4', ...properties },
});

const policy = (properties: object) => ({
  Type: 'AWS::AutoScaling::ScalingPolicy',
  Properties: { AutoScalingGroupName: { Ref: 'Group' }, ...properties },
});

const read = (Resources: Template['Resources'], more: object = {}) => readScalingGroup({ Resources, ...more });

test('uses the defaults of the API', () => {
  expect(read({ Group: group() })).toEqual({
    id: 'Group',
    minSize: 1,
    maxSize: 4,
    desiredCapacity: undefined,
    defaultCooldown: 300,
    defaultWarmup: undefined,
    healthCheckType: 'EC2',
    healthCheckGrace: 0,
    healthCheckSeconds: 0,
    drainSeconds: 0,
    purchase: { onDemandBase: 0, onDemandPercentage: 100 },
    capacityRebalance: false,
    detailedMonitoring: false,
    instanceTypes: [],
    policies: [],
    schedule: [],
    notModelled: [],
  });
});

test('resolves a size from the default of a parameter', () => {
  const parameters = { Parameters: { Most: { Type: 'Number', Default: 12 } } };
  expect(read({ Group: group({ MaxSize: { Ref: 'Most' } }) }, parameters).maxSize).toBe(12);
  expect(() => read({ Group: group({ MaxSize: { Ref: 'Most' } }) })).toThrow(
    'Group MaxSize in the template must be a number, or a parameter with a number as its default, got {"Ref":"Most"}.',
  );
});

test('reads a simple scaling policy with its cooldown and its alarm', () => {
  const { policies } = read({
    Group: group(),
    More: policy({ AdjustmentType: 'ChangeInCapacity', ScalingAdjustment: 2, Cooldown: '120' }),
    High: {
      Type: 'AWS::CloudWatch::Alarm',
      Properties: {
        AlarmActions: [{ Ref: 'More' }],
        Namespace: 'AWS/EC2',
        MetricName: 'CPUUtilization',
        ComparisonOperator: 'GreaterThanOrEqualToThreshold',
        Threshold: 80,
        Period: 300,
        EvaluationPeriods: 2,
        Statistic: 'Maximum',
      },
    },
  });
  const alarm = {
    metric: 'cpu',
    comparison: 'at or above',
    threshold: 80,
    period: 300,
    statistic: 'Maximum',
    evaluationPeriods: 2,
    datapointsToAlarm: 2,
    missing: 'missing',
  };
  expect(policies).toEqual([
    {
      kind: 'simple',
      id: 'More',
      adjustmentType: 'ChangeInCapacity',
      minAdjustmentMagnitude: undefined,
      adjustment: 2,
      cooldown: 120,
      alarms: [alarm],
    },
  ]);
});

test('lists features that are not modeled', () => {
  const { policies, notModelled } = read({
    Group: group(),
    Network: policy({
      PolicyType: 'TargetTrackingScaling',
      TargetTrackingConfiguration: {
        PredefinedMetricSpecification: { PredefinedMetricType: 'ASGAverageNetworkIn' },
        TargetValue: 1,
      },
    }),
    Silent: policy({ PolicyType: 'StepScaling', AdjustmentType: 'ChangeInCapacity', StepAdjustments: [] }),
  });
  expect(policies.map(({ id }) => id)).toEqual(['Silent']);
  expect(notModelled).toEqual([
    'Policy Network: the metric is not CPU, requests per target or backlog per instance.',
    'Policy Silent: no modeled alarm of the template invokes it.',
  ]);
});

test('lists weights, metric math and Application Auto Scaling as not modeled', () => {
  const weighted = {
    LaunchTemplate: {
      Overrides: [{ InstanceType: 'c7g.large', WeightedCapacity: '1' }, { InstanceType: 'c7g.xlarge' }],
    },
  };
  const { notModelled } = read({
    Group: group({ MixedInstancesPolicy: weighted }),
    Step: policy({ PolicyType: 'StepScaling', AdjustmentType: 'ChangeInCapacity', StepAdjustments: [] }),
    Math: {
      Type: 'AWS::CloudWatch::Alarm',
      Properties: {
        AlarmActions: [{ Ref: 'Step' }],
        Metrics: [{ Id: 'e', Expression: 'a / b' }],
        ComparisonOperator: 'GreaterThanThreshold',
      },
    },
    Service: { Type: 'AWS::ApplicationAutoScaling::ScalableTarget' },
  });
  expect(notModelled).toEqual([
    'WeightedCapacity of instance types: every instance counts as one.',
    'Service: a target of Application Auto Scaling, such as an ECS service.',
    'Alarm Math: metric math expressions are not modeled.',
    'Policy Step: no modeled alarm of the template invokes it.',
  ]);
});

test.each([
  [
    { Service: { Type: 'AWS::ApplicationAutoScaling::ScalableTarget' } },
    undefined,
    'The template has no AWS::AutoScaling::AutoScalingGroup. Targets of Application Auto Scaling, such as ECS services, are not modeled: Service.',
  ],
  [{}, undefined, 'The template has no AWS::AutoScaling::AutoScalingGroup.'],
  [{ Web: group(), Jobs: group() }, undefined, '--group must match one of Web, Jobs.'],
  [{ Web: group(), Jobs: group() }, 'Db', '--group must match one of Web, Jobs, got Db.'],
])('rejects an ambiguous or unknown group (%#)', (Resources, wanted, message) => {
  expect(() => readScalingGroup({ Resources }, { group: wanted })).toThrow(new UsageError(message));
});

test('chooses the group behind a load balancer', () => {
  const resources = { Jobs: group(), Web: group({ TargetGroupARNs: [{ Ref: 'Targets' }] }) };
  expect(read(resources).id).toBe('Web');
  expect(readScalingGroup({ Resources: resources }, { group: 'Jobs' }).id).toBe('Jobs');
});

describe('phase 4 of the project', () => {
  const template = phaseTemplate('phase-4') as unknown as Template;

  test('reads limits, purchase options, times and four kinds of policies of the servers', () => {
    const servers = readScalingGroup(template);
    expect(servers).toMatchObject({
      minSize: 2,
      maxSize: 20,
      defaultWarmup: 120,
      healthCheckType: 'ELB',
      healthCheckGrace: 120,
      healthCheckSeconds: 10,
      drainSeconds: 90,
      purchase: { onDemandBase: 2, onDemandPercentage: 0 },
      capacityRebalance: true,
      detailedMonitoring: true,
      notModelled: [],
    });
    expect(servers.instanceTypes[0]).toBe('c7g.large');
    expect(servers.schedule.map(({ recurrence, minSize }) => [recurrence, minSize])).toEqual([
      ['0 7 * * *', 4],
      ['0 23 * * *', 2],
    ]);
    expect(servers.policies).toEqual([
      expect.objectContaining({ kind: 'target tracking', metric: 'cpu', target: 60, warmup: 300 }),
      expect.objectContaining({ kind: 'target tracking', metric: 'requestsPerTarget', target: 6000 }),
      expect.objectContaining({
        kind: 'step',
        steps: [{ lower: 0, upper: undefined, adjustment: 2 }],
        alarms: [expect.objectContaining({ metric: 'cpu', comparison: 'above', threshold: 70, evaluationPeriods: 5 })],
      }),
      expect.objectContaining({ kind: 'predictive', mode: 'ForecastOnly', metric: 'cpu', target: 60, bufferTime: 300 }),
    ]);
  });

  test('reads the backlog policy of the workers', () => {
    const { policies, maxSize } = readScalingGroup(template, { group: 'Workers' });
    expect(maxSize).toBe(10);
    expect(policies).toEqual([
      expect.objectContaining({ kind: 'target tracking', metric: 'backlogPerInstance', target: 100, warmup: 180 }),
    ]);
  });
});
