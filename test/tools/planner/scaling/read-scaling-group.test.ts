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

test('defaults are those of the API', () => {
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

test('a size may be the default of a parameter', () => {
  const parameters = { Parameters: { Most: { Type: 'Number', Default: 12 } } };
  expect(read({ Group: group({ MaxSize: { Ref: 'Most' } }) }, parameters).maxSize).toBe(12);
  expect(() => read({ Group: group({ MaxSize: { Ref: 'Most' } }) })).toThrow(
    'Group MaxSize of the template is {"Ref":"Most"}; allowed is a number, or a parameter with one as its default.',
  );
});

test('a simple policy is read with its cool-down and the alarm that calls it', () => {
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

test('what is not modelled is named and left out', () => {
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
    'Policy Network: its metric is none of CPU, requests per target, backlog per instance.',
    'Policy Silent: no alarm of the template that is modelled calls it.',
  ]);
});

test('weights, metric math and what Application Auto Scaling scales are named as not modelled', () => {
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
    'Weights of instance types: every instance counts as one, whatever its WeightedCapacity.',
    'Service: what Application Auto Scaling scales, such as a service of ECS.',
    'Alarm Math: it watches an expression (metric math), and not one metric.',
    'Policy Step: no alarm of the template that is modelled calls it.',
  ]);
});

test.each([
  [
    { Service: { Type: 'AWS::ApplicationAutoScaling::ScalableTarget' } },
    undefined,
    'The template has no AWS::AutoScaling::AutoScalingGroup; what Application Auto Scaling scales, such as a service of ECS, is not modelled: Service.',
  ],
  [{}, undefined, 'The template has no AWS::AutoScaling::AutoScalingGroup; there is nothing that scales in it.'],
  [{ Web: group(), Jobs: group() }, undefined, 'No group is named; allowed: Web, Jobs.'],
  [{ Web: group(), Jobs: group() }, 'Db', 'Group "Db" is not one group of the template; allowed: Web, Jobs.'],
])('which group is not guessed', (Resources, wanted, message) => {
  expect(() => readScalingGroup({ Resources }, { group: wanted })).toThrow(new UsageError(message));
});

test('of several groups, the one behind a balancer is meant', () => {
  const resources = { Jobs: group(), Web: group({ TargetGroupARNs: [{ Ref: 'Targets' }] }) };
  expect(read(resources).id).toBe('Web');
  expect(readScalingGroup({ Resources: resources }, { group: 'Jobs' }).id).toBe('Jobs');
});

describe('phase 4 of the project', () => {
  const template = phaseTemplate('phase-4') as unknown as Template;

  test('the servers: bounds, purchase, times and policies of four kinds', () => {
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

  test('the workers: their backlog', () => {
    const { policies, maxSize } = readScalingGroup(template, { group: 'Workers' });
    expect(maxSize).toBe(10);
    expect(policies).toEqual([
      expect.objectContaining({ kind: 'target tracking', metric: 'backlogPerInstance', target: 100, warmup: 180 }),
    ]);
  });
});
