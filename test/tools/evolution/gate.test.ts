import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import { SingleBox } from '../../../lib/phases/phase-1-single-box';
import { ShopStack } from '../../../lib/phases/shop-stack';
import { type BoxSizeName, sizes } from '../../../lib/phases/sizes';
import { transitionBetween } from '../../../lib/phases/transitions';
import { Database } from '../../../lib/tiers/database';
import { JobQueue } from '../../../lib/tiers/job-queue';
import { Network } from '../../../lib/tiers/network';
import { StateKey } from '../../../lib/tiers/state-key';
import { compare } from '../../../tools/evolution/changes';
import { checkGate, type GateFinding, type Manifest } from '../../../tools/evolution/gate';
import { manifestFor } from '../../../tools/evolution/manifests';
import { APP_BUNDLE, makeApp, templateOf } from '../../support/stack';
import { type PhaseId, phaseTemplate, type TemplateJson } from '../../support/templates';

const DOMAIN = { domainName: 'shop.example.com', hostedZoneId: 'Z0123456789ABC' };
const PHASES = [1, 2, 3, 4];

/** Shared between tests; do not modify. */
const template = (phase: number, props: { size?: BoxSizeName } = {}) =>
  phaseTemplate(`phase-${phase}` as PhaseId, { ...DOMAIN, ...props });

function findings(before: TemplateJson, after: TemplateJson, manifest: Manifest = {}): readonly GateFinding[] {
  const named = (template: TemplateJson, name: string) => ({ name, template });
  return checkGate(compare(named(before, 'before'), named(after, 'after')), manifest);
}

const steps = PHASES.flatMap((from) => PHASES.filter((to) => to !== from).map((to) => transitionBetween(from, to)));
const done = steps.filter(({ verdict }) => verdict !== 'refused');

describe('the gate is green', () => {
  test.each(done)('from phase $from to phase $to', ({ from, to }) => {
    expect(findings(template(from), template(to), manifestFor(from, to))).toEqual([]);
  });

  const names = Object.keys(sizes) as BoxSizeName[];
  const bigger = names.slice(1).map((to, index) => ({ from: names[index] as BoxSizeName, to }));
  // `npm run evolution` compares every size in every phase.
  test.each([...bigger.map((step) => ({ phase: 1, ...step })), { phase: 2, ...bigger[0] }, { phase: 3, ...bigger[0] }])(
    'in phase $phase from size $from to $to',
    ({ phase, from, to }) => {
      expect(findings(template(phase, { size: from }), template(phase, { size: to }))).toEqual([]);
    },
  );

  test('for a deploy without changes', () => {
    for (const phase of PHASES) expect(findings(template(phase), template(phase))).toEqual([]);
  });
});

describe('the gate is red', () => {
  test.each(steps.filter(({ verdict }) => verdict === 'refused'))(
    'from phase $from to phase $to, a refused step',
    ({ from, to }) => {
      expect(findings(template(from), template(to)).map(({ rule }) => rule)).toContain('state');
    },
  );

  test('for a smaller size, because a volume cannot shrink', () => {
    const [big, small] = [template(1, { size: 'growth' }), template(1)];
    expect(findings(big, small)).toEqual([
      expect.objectContaining({ rule: 'state', message: expect.stringContaining('a volume cannot shrink') }),
    ]);
  });

  // Single changes to phase 3, and the finding in the step from phase 2.
  test.each<[string, string, Record<string, unknown>, GateFinding['rule'], string]>([
    [
      'loses its encryption',
      'DatabaseInstance',
      { StorageEncrypted: false },
      'state',
      'replaced because of StorageEncrypted',
    ],
    ['gets another key', 'DatabaseInstance', { KmsKeyId: 'alias/aws/rds' }, 'state', 'replaced because of KmsKeyId'],
    ['gets another engine', 'DatabaseInstance', { Engine: 'mysql' }, 'state', 'replaced because of Engine'],
    ['shrinks', 'DatabaseInstance', { AllocatedStorage: '5' }, 'state', 'storage cannot shrink'],
    ['keeps no backups', 'DatabaseInstance', { BackupRetentionPeriod: 0 }, 'state', '0 disables automated backups'],
    [
      'is restored',
      'DatabaseInstance',
      { DBSnapshotIdentifier: 'old' },
      'state',
      'replaced because of DBSnapshotIdentifier',
    ],
    ['may be deleted', 'DatabaseInstance', { DeletionProtection: false }, 'protection', 'loses DeletionProtection'],
    ['gets another value', 'DatabaseSecret', { GenerateSecretString: {} }, 'state', 'loses data: Generate'],
    ['gets a name', 'DatabaseSecret', { Name: 'shop/database' }, 'state', 'replaced because of Name'],
    ['signs', 'StateKey', { KeyUsage: 'SIGN_VERIFY' }, 'state', 'the update request fails'],
    ['is disabled', 'StateKey', { Enabled: false }, 'state', 'loses data: Enabled'],
    [
      'has other addresses',
      'NetworkVpcDataSubnet1Subnet',
      { CidrBlock: '10.0.99.0/24' },
      'network',
      'to "10.0.99.0/24"',
    ],
    [
      'has other addresses',
      'NetworkVpc',
      { CidrBlock: '10.1.0.0/16' },
      'state',
      'AWS::EC2::VPC is replaced because of CidrBlock',
    ],
    [
      'has another name',
      'NetworkFlowLog',
      { LogGroupName: '/shop/network' },
      'state',
      'replaced because of LogGroupName',
    ],
    ['forgets sooner', 'NetworkFlowLog', { RetentionInDays: 1 }, 'state', 'older events are deleted'],
    ['has another name', 'BackupVault', { BackupVaultName: 'backups' }, 'state', 'replaced because of BackupVaultName'],
  ])('when a resource %s: %s %j', (_, name, properties, rule, message) => {
    const { after, id } = copyWith(name);
    Object.assign(after.Resources[id].Properties, properties);
    expectRed(after, rule, message);
  });

  test.each<[string, Record<string, unknown>, GateFinding['rule'], string]>([
    [
      'DatabaseInstance',
      { DeletionPolicy: 'Delete' },
      'policy',
      'DeletionPolicy changes from RetainExceptOnCreate to Delete',
    ],
    [
      'DatabaseInstance',
      { UpdateReplacePolicy: undefined },
      'policy',
      'UpdateReplacePolicy changes from Retain to Delete',
    ],
    ['StateKey', { DeletionPolicy: 'Snapshot' }, 'policy', 'from RetainExceptOnCreate to Snapshot'],
    ['DatabaseSecret', { Condition: 'Wanted' }, 'condition', 'condition changes from none to Wanted'],
    ['DatabaseSecret', { Type: 'AWS::SSM::Parameter' }, 'state', 'the type of a resource cannot change'],
  ])('when %s gets %j', (name, attributes, rule, message) => {
    const { after, id } = copyWith(name);
    Object.assign(after.Resources[id], attributes);
    expectRed(after, rule, message);
  });

  test('when the key is removed', () => {
    const { after, id } = copyWith('StateKey');
    delete after.Resources[id];
    expectRed(after, 'state', 'AWS::KMS::Key is removed and retained outside the stack');
  });

  test('when the database gets another subnet group by reference', () => {
    const { after, id } = copyWith('DatabaseInstanceSubnetGroup');
    after.Resources[id].Properties.DBSubnetGroupName = 'data';
    expectRed(after, 'state', 'AWS::RDS::DBInstance is replaced because of DBSubnetGroupName');
  });

  test('when an output is removed', () => {
    const after = structuredClone(template(3));
    delete after.Outputs?.DatabaseEndpoint;
    expectRed(after, 'output', 'output DatabaseEndpoint is removed');
  });

  /** Returns a copy of phase 3's template, and the full id of the resource `Shop<name>`. */
  function copyWith(name: string): { readonly after: TemplateJson; readonly id: string } {
    const after = structuredClone(template(3));
    const ids = Object.keys(after.Resources).filter((id) => id.replace(/[0-9A-F]{8}$/, '') === `Shop${name}`);
    expect(ids).toHaveLength(1);
    return { after, id: ids[0] as string };
  }

  function expectRed(after: TemplateJson, rule: GateFinding['rule'], message: string): void {
    const found = findings(template(2), after, manifestFor(2, 3)).map((one) => `${one.rule}: ${one.message}`);
    expect(found).toContainEqual(expect.stringContaining(message));
    expect(found.find((line) => line.includes(message))).toMatch(new RegExp(`^${rule}: `));
  }

  test.each([
    ['in another zone', 'AvailabilityZone', 'us-east-1b'],
    ['with another encryption', 'Encrypted', false],
    ['smaller', 'Size', 8],
  ])('when the data volume is %s', (_, property, value) => {
    const after = structuredClone(template(2));
    for (const { Type, Properties } of Object.values(after.Resources)) {
      if (Type === 'AWS::EC2::Volume') Properties[property] = value;
    }
    const [found, ...others] = findings(template(1), after);
    expect(others).toEqual([]);
    expect(found).toMatchObject({ rule: 'state', message: expect.stringContaining(`the deploy fails: ${property}`) });
  });

  test('when the queue of phase 4 gets a name, or the edge bucket a deletion policy of Delete', () => {
    const after = structuredClone(template(4));
    for (const [id, resource] of Object.entries(after.Resources)) {
      if (id.startsWith('ShopJobQueueDB')) resource.Properties.QueueName = 'jobs';
      if (id.startsWith('ShopEdgeAssets7')) resource.DeletionPolicy = 'Delete';
    }
    const found = findings(template(4), after);
    expect(found.map(({ rule, id }) => [rule, id.slice(0, 14)])).toEqual([
      ['state', 'ShopJobQueueDB'],
      ['policy', 'ShopEdgeAssets'],
    ]);
  });

  test('when a resource in the manifest has a different policy, or stays', () => {
    const before = structuredClone(template(2));
    const [volume] = Object.keys(before.Resources).filter((id) => before.Resources[id].Type === 'AWS::EC2::Volume');
    before.Resources[volume as string].DeletionPolicy = 'Delete';
    expect(findings(before, template(3), manifestFor(2, 3))).toEqual([
      expect.objectContaining({ rule: 'state', message: expect.stringContaining('but has Delete') }),
    ]);
    expect(new Set(findings(template(2), template(2), manifestFor(2, 3)).map(({ rule }) => rule))).toEqual(
      new Set(['manifest']),
    );
  });

  // Synthesized templates, because the CDK derives logical ids from construct paths.
  const stackOf = (build: (stack: ShopStack) => void): TemplateJson => {
    const stack = new ShopStack(makeApp(), 'phase-2');
    build(stack);
    return templateOf(stack);
  };
  const data = (scope: Construct, stack: ShopStack, id: string) => {
    const { vpc } = new Network(stack, 'Network');
    const encryptionKey = new StateKey(stack, 'StateKey').key;
    new Database(scope, id, { vpc, encryptionKey, databaseName: 'shop' });
    new JobQueue(stack, 'JobQueue', { encryptionKey });
  };
  const before = stackOf((stack) => data(stack, stack, 'Database'));

  test('when a construct is renamed, with a hint', () => {
    const found = findings(
      before,
      stackOf((stack) => data(stack, stack, 'Db')),
    );
    expect(found.map(({ message }) => message)).toContainEqual(
      expect.stringMatching(
        /^AWS::RDS::DBInstance is removed and .*DbInstance.* is new: renaming or moving a construct/,
      ),
    );
  });

  test('when a construct moves into another scope', () => {
    const found = findings(
      before,
      stackOf((stack) => data(new Construct(stack, 'Data'), stack, 'Database')),
    );
    expect(found.map(({ message }) => message.split(' and ')[0])).toEqual(
      expect.arrayContaining(['AWS::RDS::DBInstance is removed', 'AWS::SecretsManager::Secret is removed']),
    );
  });

  // https://github.com/aws/aws-cdk/issues/6683. The Network tier avoids this with three Availability Zones from the start.
  test('when a VPC gets a third Availability Zone, which changes the addresses of the other subnets', () => {
    const zones = (maxAzs: number) => stackOf((stack) => new Vpc(stack, 'Vpc', { maxAzs, natGateways: 0 }));
    const found = findings(zones(2), zones(3));
    expect(found.map(({ rule, id }) => [rule, id])).toContainEqual(['network', expect.stringContaining('Subnet')]);
    expect(found.map(({ message }) => message.split(';')[0])).toContain(
      'AWS::EC2::Subnet is replaced because of CidrBlock',
    );
  });

  test('when the whole shop moves into another construct', () => {
    const stack = new ShopStack(makeApp(), 'phase-1');
    new SingleBox(new Construct(stack, 'Shops'), 'Shop', { appBundle: APP_BUNDLE, ...DOMAIN });
    const removed = findings(template(1), templateOf(stack)).map(({ message }) => message.split(' ')[0]);
    expect(removed).toEqual(expect.arrayContaining(['AWS::EC2::Volume', 'AWS::EC2::VPC', 'AWS::KMS::Key']));
  });
});
