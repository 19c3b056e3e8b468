// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the placeholders of CloudFormation's Fn::Sub
import { join } from 'node:path';
import type { TemplateResource as Resource, Template } from '../../../tools/cloudformation/template';
import { compare, type Fate } from '../../../tools/evolution/changes';
import { checkGate } from '../../../tools/evolution/gate';
import { readTemplates } from '../../../tools/evolution/sources';

const fixture = (name: string) => {
  const [template] = readTemplates(join(__dirname, 'fixtures', name), '--before');
  if (template === undefined) throw new Error(`no template in ${name}`);
  return template;
};

const of = (Resources: Record<string, Resource>, rest: Partial<Template> = {}) => ({
  name: 'test',
  template: { Resources, ...rest },
});

function fates(before: Record<string, Resource>, after: Record<string, Resource>): Record<string, Fate> {
  return Object.fromEntries(compare(of(before), of(after)).changes.map(({ id, fate }) => [id, fate]));
}

const resource = (Type: string, Properties: Record<string, unknown> = {}): Resource => ({ Type, Properties });

describe('templates of another app', () => {
  const comparison = compare(fixture('todo-before.json'), fixture('todo-after.json'));

  test('have one fate per resource, listed by construct path', () => {
    const changes = comparison.changes.map(({ path, fate, leaving }) => [path, fate, leaving]);
    expect(changes).toEqual([
      ['Todos', 'replaced', 'retained outside the stack'],
      ['Handler/Role', 'kept', undefined],
      ['Handler', 'changed', undefined],
      ['Attachments', 'removed', 'retained outside the stack'],
      ['Cluster3B5D', 'replaced', 'deleted'],
      ['Reminders', 'changed', undefined],
      ['Search1A2B3C4D', 'changed', undefined],
      ['Files/Attachments', 'added', undefined],
    ]);
  });

  test('turn the gate red only for the key schema, the moved bucket, the export and the physical name', () => {
    expect(checkGate(comparison).map(({ rule, path, message }) => `${rule}: ${path}: ${message}`)).toEqual([
      'state: Todos: AWS::DynamoDB::Table is replaced because of KeySchema; the old one is retained outside the stack',
      'state: Attachments: AWS::S3::Bucket is removed and retained outside the stack. Files/Attachments is new: renaming or moving a construct creates a new resource',
      'output: TableName: output TableName: export name changes from "todo-table" to "todos-table"',
      'name: Cluster3B5D: physical name AWS::ECS::Cluster "todo" is removed',
    ]);
  });

  test('pass for the removals that a manifest allows', () => {
    const reason = 'copied to the new one beforehand';
    const manifest = {
      resources: {
        Todos5A8B1C9D: { fate: 'replaced', policy: 'Retain', reason },
        AttachmentsD4C0A1F2: { fate: 'removed', policy: 'Retain', reason },
      },
      names: { Cluster3B5D: reason },
    } as const;
    expect(checkGate(comparison, manifest).map(({ rule }) => rule)).toEqual(['output']);
  });
});

describe('the consequences of a replacement', () => {
  const network = (cidr: string, vpcId: unknown): Record<string, Resource> => ({
    Vpc: resource('AWS::EC2::VPC', { CidrBlock: cidr }),
    Subnet: resource('AWS::EC2::Subnet', { CidrBlock: '10.0.1.0/24', VpcId: vpcId }),
    Dashboard: resource('AWS::CloudWatch::Dashboard', { DashboardBody: { 'Fn::Sub': 'of ${Vpc}' } }),
  });

  test.each([
    ['Ref', { Ref: 'Vpc' }],
    ['GetAtt', { 'Fn::GetAtt': ['Vpc', 'VpcId'] }],
    ['GetAtt in short', { 'Fn::GetAtt': 'Vpc.VpcId' }],
    ['Sub', { 'Fn::Sub': '${Vpc}' }],
    ['Join', { 'Fn::Join': ['', ['', { Ref: 'Vpc' }]] }],
    ['Sub with values', { 'Fn::Sub': ['${Id}', { Id: { Ref: 'Vpc' } }] }],
  ])('include resources that reference it by %s', (_, vpcId) => {
    expect(fates(network('10.0.0.0/16', vpcId), network('10.1.0.0/16', vpcId))).toEqual({
      Vpc: 'replaced',
      Subnet: 'replaced',
      Dashboard: 'changed',
    });
  });

  test('exclude escaped references and pseudo parameters', () => {
    const tagged = { 'Fn::Sub': '${!Vpc} and ${AWS::Region}' };
    expect(fates(network('10.0.0.0/16', tagged), network('10.1.0.0/16', tagged))).toMatchObject({ Subnet: 'kept' });
  });
});

test('a changed launch template changes the groups that use its latest version', () => {
  const servers = (type: string) => ({
    Template: resource('AWS::EC2::LaunchTemplate', { LaunchTemplateData: { InstanceType: type } }),
    Group: resource('AWS::AutoScaling::AutoScalingGroup', {
      LaunchTemplate: {
        LaunchTemplateId: { Ref: 'Template' },
        Version: { 'Fn::GetAtt': ['Template', 'LatestVersionNumber'] },
      },
    }),
    Pinned: resource('AWS::EC2::Instance', { LaunchTemplate: { LaunchTemplateId: { Ref: 'Template' }, Version: '1' } }),
  });
  expect(fates(servers('t4g.small'), servers('t4g.large'))).toEqual({
    Template: 'changed',
    Group: 'changed',
    Pinned: 'kept',
  });
});

test('Metadata and DependsOn do not change a resource, but a policy does', () => {
  const queue = resource('AWS::SQS::Queue');
  const topic = { Topic: resource('AWS::SNS::Topic') };
  const after = (more: object) => fates({ Queue: queue, ...topic }, { Queue: { ...queue, ...more }, ...topic }).Queue;
  expect(after({ Metadata: { 'aws:cdk:path': 'Other/Queue' } })).toBe('kept');
  expect(after({ DependsOn: ['Topic'] })).toBe('kept');
  expect(after({ DeletionPolicy: 'Retain' })).toBe('changed');
});

describe('the gate finds more than the template difference', () => {
  test('an AMI that is resolved at each deploy replaces the instance at a later deploy', () => {
    const machine = { Box: resource('AWS::EC2::Instance', { ImageId: { Ref: 'Image' } }) };
    const looked = { Image: { Type: 'AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>', Default: '/al2023' } };
    const fixed = { Image: { Type: 'AWS::EC2::Image::Id' } };
    const verdict = (Parameters: Template['Parameters']) => {
      const one = of(machine, { Parameters });
      return checkGate(compare(one, one)).map(({ rule, id }) => [rule, id]);
    };
    expect(verdict(looked)).toEqual([['lookup', 'Box']]);
    expect(verdict(fixed)).toEqual([]);
  });

  // https://github.com/aws/aws-cdk/issues/6718
  test('setting StorageEncrypted to false, its default, replaces a database', () => {
    const database = (properties: object) => ({
      Database: resource('AWS::RDS::DBInstance', { Engine: 'postgres', ...properties }),
    });
    expect(fates(database({}), database({ StorageEncrypted: false }))).toEqual({ Database: 'replaced' });
    expect(fates(database({ EngineVersion: '16.1' }), database({ EngineVersion: '16.3' }))).toEqual({
      Database: 'interrupted',
    });
  });

  test('a read replica may be removed, because its source has the same data', () => {
    const replica = { Replica: resource('AWS::RDS::DBInstance', { SourceDBInstanceIdentifier: 'primary' }) };
    expect(checkGate(compare(of(replica), of({})))).toEqual([]);
  });

  test('without a deletion policy, RDS takes a final snapshot and other resources are deleted', () => {
    const stateful = { Database: resource('AWS::RDS::DBInstance'), Table: resource('AWS::DynamoDB::Table') };
    expect(compare(of(stateful), of({})).changes.map(({ leaving }) => leaving)).toEqual([
      'deleted after a snapshot',
      'deleted',
    ]);
  });
});
