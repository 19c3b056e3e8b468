import { DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { GetInstanceProfileCommand, GetRoleCommand } from '@aws-sdk/client-iam';
import { GetTopicAttributesCommand } from '@aws-sdk/client-sns';
import { type Kinds, only } from './kind';

export const operations: Kinds = {
  'AWS::IAM::Role': {
    expected: () => ({}),
    found: async ({ iam }, name) => {
      await iam.send(new GetRoleCommand({ RoleName: name }));
      return {};
    },
  },
  'AWS::IAM::InstanceProfile': {
    expected: (p) => ({ roles: p.Roles?.length }),
    found: async ({ iam }, name) => {
      const { InstanceProfile } = await iam.send(new GetInstanceProfileCommand({ InstanceProfileName: name }));
      return { roles: InstanceProfile?.Roles?.length };
    },
  },
  'AWS::Logs::LogGroup': {
    expected: (p) => ({ days: p.RetentionInDays }),
    found: async ({ logs }, name) => {
      const { logGroups } = await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: name }));
      return { days: only(logGroups).retentionInDays };
    },
  },
  'AWS::SNS::Topic': {
    expected: () => ({}),
    found: async ({ sns }, arn) => {
      await sns.send(new GetTopicAttributesCommand({ TopicArn: arn }));
      return {};
    },
  },
  'AWS::CloudWatch::Alarm': {
    expected: (p) => ({ metric: p.MetricName, threshold: p.Threshold }),
    found: async ({ cloudwatch }, name) => {
      const { MetricAlarms } = await cloudwatch.send(new DescribeAlarmsCommand({ AlarmNames: [name] }));
      const alarm = only(MetricAlarms);
      return { metric: alarm.MetricName, threshold: alarm.Threshold };
    },
  },
};
