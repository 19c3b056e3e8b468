import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Duration } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { APP_METRICS } from '../../../lib/constants';
import { MonthlyBudget } from '../../../lib/monitoring/monthly-budget';
import { RunbookAlarm, type RunbookAlarmProps, runbookLink } from '../../../lib/monitoring/runbook-alarm';
import { makeStack } from '../../support/stack';
import { phaseTemplate, resourcesOf, type TemplateJson } from '../../support/templates';

// Phases without a domain print the plain-HTTP warning at synth.
jest.spyOn(console, 'error').mockImplementation();

const runbook = readFileSync(join(__dirname, '../../../docs/runbook.md'), 'utf8');
const phase1 = phaseTemplate('phase-1');
const phase2 = phaseTemplate('phase-2');
const phase3 = phaseTemplate('phase-3');
const layer4 = phaseTemplate('phase-3', { layer: 4, replicas: 0 });
const phase4 = phaseTemplate('phase-4');
/** The alarm of a scaling policy sends no notification. */
const STEP_SCALING = /^Triggers step scaling/;
// biome-ignore lint/suspicious/noExplicitAny: properties of a template
const alarmsOf = (template: TemplateJson): any[] =>
  ['AWS::CloudWatch::Alarm', 'AWS::CloudWatch::CompositeAlarm']
    .flatMap((type) => Object.values(resourcesOf(template, type)))
    .map((alarm) => alarm.Properties)
    .filter(({ AlarmDescription }) => !STEP_SCALING.test(AlarmDescription));

/** The templates of all phases. */
const ALL: readonly TemplateJson[] = [phase1, phase2, phase3, phase4];

describe('alarms', () => {
  test('link to a heading of the runbook, and every heading there is linked', () => {
    const [, section = ''] = /^# Alarms\n(.*?)^# /ms.exec(runbook) ?? [];
    const headings = [...section.matchAll(/^## (.+)$/gm)].map((match) => runbookLink(match[1] as string));
    const links = ALL.flatMap(alarmsOf).map(({ AlarmDescription }) => AlarmDescription.split(' Runbook: ')[1]);
    expect([...new Set(links)].sort()).toEqual(headings.sort());
  });

  test.each(ALL.map((template) => [template]))('have different headings within a phase', (template) => {
    const links = alarmsOf(template).map(({ AlarmDescription }) => AlarmDescription.split(' Runbook: ')[1]);
    expect(links).toHaveLength(new Set(links).size);
  });

  test('describe their meaning and a first step, and notify on ALARM and on OK', () => {
    for (const alarm of ALL.flatMap(alarmsOf)) {
      expect(alarm.AlarmDescription).toMatch(/^[A-Z].{20,}\. [A-Z].{10,}\. Runbook: docs\/runbook\.md#[a-z0-9-]+$/);
      expect([alarm.AlarmActions, alarm.OKActions]).toEqual([[expect.anything()], [expect.anything()]]);
    }
  });

  test('monitor CPU credits of burstable instances only', () => {
    const credits = (template: TemplateJson) =>
      alarmsOf(template).filter(({ MetricName }) => MetricName === 'CPUCreditBalance').length;
    expect(credits(phase1)).toBe(1);
    expect(credits(phase2)).toBe(2);
    expect(credits(phase3)).toBe(2);
    expect(credits(phaseTemplate('phase-1', { size: 'growth' }))).toBe(0);
  });

  test('that are user-facing trigger one composite alarm', () => {
    const [pager] = Object.values(resourcesOf(phase4, 'AWS::CloudWatch::CompositeAlarm'));
    const rule = JSON.stringify(pager.Properties.AlarmRule);
    for (const name of ['NoServer', 'BalancerErrors', 'AppErrors']) {
      expect(rule).toContain(`ShopLoadBalancerMonitoring${name}Alarm`);
    }
    expect(rule.match(/ALARM\(/g)).toHaveLength(3);
    expect(rule).toContain(' OR ');
  });

  test('treat missing data of the instance as breaching', () => {
    expect(alarmsOf(phase1).find(({ MetricName }) => MetricName === 'StatusCheckFailed')).toMatchObject({
      TreatMissingData: 'breaching',
      Period: 60,
      EvaluationPeriods: 3,
    });
  });

  test('monitor disks with the dimensions that the CloudWatch agent of the instance publishes', () => {
    const [setup] = Object.values(resourcesOf(phase1, 'AWS::SSM::Association'));
    const lines: string[] = setup.Properties.Parameters.commands;
    const agent = JSON.parse(lines.slice(lines.indexOf('{'), lines.indexOf('JSON')).join('\n')).metrics;
    expect(agent.metrics_collected.disk).toMatchObject({ resources: ['/', '/data'], drop_device: true });
    const disks = alarmsOf(phase1).filter(({ MetricName }) => MetricName === 'disk_used_percent');
    expect(disks.map(({ Namespace }) => Namespace)).toEqual([agent.namespace, agent.namespace]);
    for (const { Dimensions } of disks) {
      expect(Dimensions.map(({ Name }: { Name: string }) => Name).sort()).toEqual(['InstanceId', 'fstype', 'path']);
    }
  });

  test('may publish to the topic and use its key', () => {
    expect(JSON.stringify(resourcesOf(phase1, 'AWS::SNS::TopicPolicy'))).toContain('cloudwatch.amazonaws.com');
    const [key] = Object.values(resourcesOf(phase1, 'AWS::KMS::Key'));
    expect(key.Properties.KeyPolicy.Statement).toContainEqual(
      expect.objectContaining({
        Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
        Principal: { Service: 'cloudwatch.amazonaws.com' },
      }),
    );
  });
});

describe('alarms of phase 3', () => {
  const of = (template: TemplateJson, id: RegExp) =>
    Object.entries(resourcesOf(template, 'AWS::CloudWatch::Alarm'))
      .filter(([name]) => id.test(name))
      .map(([, alarm]) => alarm.Properties);

  test('treat missing data as breaching where an outage stops the metric', () => {
    for (const [alarm] of [of(phase3, /NoServer/), of(phase3, /TooFew/)]) {
      expect(alarm).toMatchObject({ TreatMissingData: 'breaching' });
    }
  });

  test('trigger when one server is missing', () => {
    expect(of(phase3, /TooFew/)).toMatchObject([{ Threshold: 4, ComparisonOperator: 'LessThanOrEqualToThreshold' }]);
  });

  test('monitor all cache nodes and all replicas with one alarm', () => {
    const [lag] = of(phase3, /SessionCacheMonitoringLag/);
    const metrics: { Expression?: string; MetricStat?: unknown }[] = lag.Metrics;
    expect(metrics.map(({ Expression }) => Expression)).toEqual(['MAX([m1, m2, m3])', undefined, undefined, undefined]);
    expect(of(phase3, /ReadReplicasMonitoringLag/)[0].Metrics).toHaveLength(3);
  });

  test('exclude request alarms on layer 4, and replica alarms without replicas', () => {
    const names = Object.keys(resourcesOf(layer4, 'AWS::CloudWatch::Alarm')).join(' ');
    expect(names).toMatch(/NoServer/);
    expect(names).not.toMatch(/BalancerErrors|AppErrors|Slow|ReadReplicas/);
  });

  test('monitor memory with the dimension that the CloudWatch agent of the servers publishes', () => {
    const [{ Properties }] = Object.values(resourcesOf(phase3, 'AWS::EC2::LaunchTemplate')) as [TemplateJson];
    const userData = JSON.stringify(Properties.LaunchTemplateData.UserData);
    expect(userData).toContain('AutoScalingGroupName');
    // The agent reads the name of the group from the instance's tags.
    expect(JSON.stringify(resourcesOf(phase3, 'AWS::IAM::Policy'))).toContain('ec2:DescribeTags');
    const [memory] = of(phase3, /FleetMonitoringMemoryHigh/);
    expect(memory.Dimensions).toEqual([expect.objectContaining({ Name: 'AutoScalingGroupName' })]);
    expect(memory.Namespace).toBe('Host');
  });
});

describe('RunbookAlarm', () => {
  const make = (props: Partial<RunbookAlarmProps>) => {
    const stack = makeStack();
    new RunbookAlarm(stack, 'Alarm', {
      topic: new Topic(stack, 'Topic'),
      metric: new Metric({ namespace: 'Test', metricName: 'Depth' }),
      duration: Duration.minutes(15),
      heading: 'Too deep (or not)',
      meaning: 'It is deep.',
      firstStep: 'Swim.',
      ...props,
    });
    return Template.fromStack(stack);
  };

  test('triggers at or above, or at or below, its threshold', () => {
    make({ atLeast: 3 }).hasResourceProperties('AWS::CloudWatch::Alarm', {
      Threshold: 3,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      EvaluationPeriods: 3,
      AlarmDescription: 'It is deep. Swim. Runbook: docs/runbook.md#too-deep-or-not',
    });
    make({ atMost: 0 }).hasResourceProperties('AWS::CloudWatch::Alarm', {
      Threshold: 0,
      ComparisonOperator: 'LessThanOrEqualToThreshold',
    });
  });

  test.each([{}, { atLeast: 1, atMost: 2 }])('rejects the thresholds %j', (props) => {
    expect(() => make(props)).toThrow('RunbookAlarm Alarm: exactly one of atLeast and atMost must be set, got atLeast');
  });
});

describe('MonthlyBudget', () => {
  test('notifies at 80% of actual costs and at 100% of forecasted costs', () => {
    const stack = makeStack();
    new MonthlyBudget(stack, 'Budget', { usd: 100, email: 'ops@example.com' });
    Template.fromStack(stack).hasResourceProperties('AWS::Budgets::Budget', {
      Budget: { BudgetLimit: { Amount: 100, Unit: 'USD' }, TimeUnit: 'MONTHLY' },
      NotificationsWithSubscribers: [
        { Notification: { NotificationType: 'ACTUAL', Threshold: 80 } },
        { Notification: { NotificationType: 'FORECASTED', Threshold: 100 } },
      ],
    });
  });

  test('creates no budget without an amount, and rejects an amount of 0 or without an email address', () => {
    const stack = makeStack();
    new MonthlyBudget(stack, 'None', {});
    Template.fromStack(stack).resourceCountIs('AWS::Budgets::Budget', 0);
    expect(() => new MonthlyBudget(makeStack(), 'B', { usd: 0, email: 'ops@example.com' })).toThrow(
      'usd must be greater than 0, got 0.',
    );
    expect(() => new MonthlyBudget(makeStack(), 'B', { usd: 1 })).toThrow(
      'email must be set together with usd, got undefined.',
    );
  });
});

describe.each([
  ['phase-1', phase1, ['AWS/EC2', 'AWS/EBS', 'Host']],
  ['phase-2', phase2, ['AWS/EC2', 'AWS/EBS', 'Host', 'AWS/RDS']],
  ['phase-3', phase3, ['AWS/ApplicationELB', 'AWS/AutoScaling', 'AWS/EC2', 'Host', 'AWS/ElastiCache', 'AWS/RDS']],
  ['phase-3 on layer 4', layer4, ['AWS/NetworkELB', 'AWS/AutoScaling', 'AWS/ElastiCache', 'AWS/RDS']],
  [
    'phase-4',
    phase4,
    ['AWS/CloudFront', 'AWS/ApplicationELB', 'AWS/AutoScaling', 'AWS/SQS', 'AWS/ElastiCache', 'AWS/RDS'],
  ],
] as const)('the dashboard of %s', (_, template, namespaces) => {
  test('shows the metrics of every tier and the next bottleneck', () => {
    const body = JSON.stringify(resourcesOf(template, 'AWS::CloudWatch::Dashboard'));
    for (const namespace of namespaces) expect(body).toContain(namespace);
    expect(body).toContain('shows the next bottleneck');
  });
});

test.each([
  ['phase-3', phase3],
  ['phase-4', phase4],
])('the dashboard of %s shows every custom metric in the namespace of the servers', (_, template) => {
  const servers = JSON.stringify(resourcesOf(template, 'AWS::EC2::LaunchTemplate'));
  const [, namespace] = /METRICS_NAMESPACE='(\w+)'/.exec(servers) ?? [];
  const body = JSON.stringify(resourcesOf(template, 'AWS::CloudWatch::Dashboard')).replaceAll('\\', '');
  const drawn = [...body.matchAll(new RegExp(`"${namespace}","(\\w+)"`, 'g'))].map((match) => match[1]);
  expect(new Set(drawn)).toEqual(new Set(Object.keys(APP_METRICS)));
});
