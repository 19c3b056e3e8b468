import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import { SingleBox } from '../../../lib/phases/phase-1-single-box';
import { ShopStack } from '../../../lib/phases/shop-stack';
import { type BoxSizeName, sizes } from '../../../lib/phases/sizes';
import { stepBetween } from '../../../lib/phases/steps';
import { Database } from '../../../lib/tiers/database';
import { JobQueue } from '../../../lib/tiers/job-queue';
import { Network } from '../../../lib/tiers/network';
import { StateKey } from '../../../lib/tiers/state-key';
import { compare } from '../../../tools/evolution/changes';
import { type Finding, judge, type Manifest } from '../../../tools/evolution/gate';
import { mayLeave } from '../../../tools/evolution/leaving';
import { APP_BUNDLE, makeApp, templateOf } from '../../support/stack';
import { type PhaseId, phaseTemplate, type TemplateJson } from '../../support/templates';

const DOMAIN = { domainName: 'shop.example.com', hostedZoneId: 'Z0123456789ABC' };
const PHASES = [1, 2, 3, 4];

/** Not to be changed. */
const template = (phase: number, props: { size?: BoxSizeName } = {}) =>
  phaseTemplate(`phase-${phase}` as PhaseId, { ...DOMAIN, ...props });

function findings(before: TemplateJson, after: TemplateJson, manifest: Manifest = {}): readonly Finding[] {
  const named = (template: TemplateJson, name: string) => ({ name, template });
  return judge(compare(named(before, 'before'), named(after, 'after')), manifest);
}

const steps = PHASES.flatMap((from) => PHASES.filter((to) => to !== from).map((to) => stepBetween(from, to)));
const done = steps.filter(({ verdict }) => verdict !== 'refused');

describe('the gate is green', () => {
  test.each(done)('from phase $from to phase $to', ({ from, to }) => {
    expect(findings(template(from), template(to), mayLeave(from, to))).toEqual([]);
  });

  const names = Object.keys(sizes) as BoxSizeName[];
  const bigger = names.slice(1).map((to, index) => ({ from: names[index] as BoxSizeName, to }));
  // Every size in every phase is what `npm run evolution` compares.
  test.each([...bigger.map((step) => ({ phase: 1, ...step })), { phase: 2, ...bigger[0] }, { phase: 3, ...bigger[0] }])(
    'in phase $phase from size $from to $to',
    ({ phase, from, to }) => {
      expect(findings(template(phase, { size: from }), template(phase, { size: to }))).toEqual([]);
    },
  );

  test('for a second deploy of the same', () => {
    for (const phase of PHASES) expect(findings(template(phase), template(phase))).toEqual([]);
  });
});

describe('the gate is red', () => {
  test.each(steps.filter(({ verdict }) => verdict === 'refused'))(
    'from phase $from to phase $to, which is refused before it comes to that',
    ({ from, to }) => {
      expect(findings(template(from), template(to)).map(({ rule }) => rule)).toContain('state');
    },
  );

  test('for a smaller size, as a volume cannot shrink', () => {
    const [big, small] = [template(1, { size: 'growth' }), template(1)];
    expect(findings(big, small)).toEqual([
      expect.objectContaining({ rule: 'state', message: expect.stringContaining('a volume cannot shrink') }),
    ]);
  });

  // What somebody might do to phase 3, each alone, with what the gate then says of the step from phase 2.
  test.each<[string, string, Record<string, unknown>, Finding['rule'], string]>([
    ['loses its encryption', 'DatabaseInstance', { StorageEncrypted: false }, 'state', 'replaced by StorageEncrypted'],
    ['gets another key', 'DatabaseInstance', { KmsKeyId: 'alias/aws/rds' }, 'state', 'replaced by KmsKeyId'],
    ['gets another engine', 'DatabaseInstance', { Engine: 'mysql' }, 'state', 'replaced by Engine'],
    ['shrinks', 'DatabaseInstance', { AllocatedStorage: '5' }, 'state', 'storage cannot shrink'],
    ['keeps no backups', 'DatabaseInstance', { BackupRetentionPeriod: 0 }, 'state', '0 ends automated backups'],
    ['is restored', 'DatabaseInstance', { DBSnapshotIdentifier: 'old' }, 'state', 'replaced by DBSnapshotIdentifier'],
    [
      'may be deleted',
      'DatabaseInstance',
      { DeletionProtection: false },
      'protection',
      'protected by DeletionProtection',
    ],
    ['gets another value', 'DatabaseSecret', { GenerateSecretString: {} }, 'state', 'loses what it holds: Generate'],
    ['gets a name', 'DatabaseSecret', { Name: 'shop/database' }, 'state', 'replaced by Name'],
    ['signs', 'StateKey', { KeyUsage: 'SIGN_VERIFY' }, 'state', 'the update request fails'],
    ['is disabled', 'StateKey', { Enabled: false }, 'state', 'loses what it holds: Enabled'],
    [
      'has other addresses',
      'NetworkVpcDataSubnet1Subnet',
      { CidrBlock: '10.0.99.0/24' },
      'network',
      'now "10.0.99.0/24"',
    ],
    [
      'has other addresses',
      'NetworkVpc',
      { CidrBlock: '10.1.0.0/16' },
      'state',
      'AWS::EC2::VPC is replaced by CidrBlock',
    ],
    ['has another name', 'NetworkFlowLog', { LogGroupName: '/shop/network' }, 'state', 'replaced by LogGroupName'],
    ['forgets sooner', 'NetworkFlowLog', { RetentionInDays: 1 }, 'state', 'older events are deleted'],
    ['has another name', 'BackupVault', { BackupVaultName: 'backups' }, 'state', 'replaced by BackupVaultName'],
  ])('when what follows %s: %s %j', (_, name, properties, rule, says) => {
    const { after, id } = copyWith(name);
    Object.assign(after.Resources[id].Properties, properties);
    expectRed(after, rule, says);
  });

  test.each<[string, Record<string, unknown>, Finding['rule'], string]>([
    ['DatabaseInstance', { DeletionPolicy: 'Delete' }, 'policy', 'DeletionPolicy RetainExceptOnCreate, and now Delete'],
    ['DatabaseInstance', { UpdateReplacePolicy: undefined }, 'policy', 'UpdateReplacePolicy Retain, and now Delete'],
    ['StateKey', { DeletionPolicy: 'Snapshot' }, 'policy', 'RetainExceptOnCreate, and now Snapshot'],
    ['DatabaseSecret', { Condition: 'Wanted' }, 'condition', 'had the condition none, and now Wanted'],
    ['DatabaseSecret', { Type: 'AWS::SSM::Parameter' }, 'state', 'the type of a resource is fixed'],
  ])('when %s gets %j', (name, attributes, rule, says) => {
    const { after, id } = copyWith(name);
    Object.assign(after.Resources[id], attributes);
    expectRed(after, rule, says);
  });

  test('when the key is gone', () => {
    const { after, id } = copyWith('StateKey');
    delete after.Resources[id];
    expectRed(after, 'state', 'AWS::KMS::Key is removed, and kept outside of the stack');
  });

  test('when the database gets another subnet group, of which it is told by reference only', () => {
    const { after, id } = copyWith('DatabaseInstanceSubnetGroup');
    after.Resources[id].Properties.DBSubnetGroupName = 'data';
    expectRed(after, 'state', 'AWS::RDS::DBInstance is replaced by DBSubnetGroupName');
  });

  test('when an output is gone', () => {
    const after = structuredClone(template(3));
    delete after.Outputs?.DatabaseEndpoint;
    expectRed(after, 'output', 'the output DatabaseEndpoint goes');
  });

  /** Phase 3 to be changed, and the id of the one resource whose id is this name after `Shop`. */
  function copyWith(name: string): { readonly after: TemplateJson; readonly id: string } {
    const after = structuredClone(template(3));
    const ids = Object.keys(after.Resources).filter((id) => id.replace(/[0-9A-F]{8}$/, '') === `Shop${name}`);
    expect(ids).toHaveLength(1);
    return { after, id: ids[0] as string };
  }

  function expectRed(after: TemplateJson, rule: Finding['rule'], says: string): void {
    const found = findings(template(2), after, mayLeave(2, 3)).map((one) => `${one.rule}: ${one.message}`);
    expect(found).toContainEqual(expect.stringContaining(says));
    expect(found.find((line) => line.includes(says))).toMatch(new RegExp(`^${rule}: `));
  }

  test.each([
    ['in another zone', 'AvailabilityZone', 'us-east-1b'],
    ['with another encryption', 'Encrypted', false],
    ['smaller', 'Size', 8],
  ])('when the volume of the box is %s', (_, property, value) => {
    const after = structuredClone(template(2));
    for (const { Type, Properties } of Object.values(after.Resources)) {
      if (Type === 'AWS::EC2::Volume') Properties[property] = value;
    }
    const [found, ...others] = findings(template(1), after);
    expect(others).toEqual([]);
    expect(found).toMatchObject({ rule: 'state', message: expect.stringContaining(`the deploy fails: ${property}`) });
  });

  test('when the queue of phase 4 gets a name, or the bucket of the edge goes with its stack', () => {
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

  test('when what a manifest lets go has another policy, or stays', () => {
    const before = structuredClone(template(2));
    const [volume] = Object.keys(before.Resources).filter((id) => before.Resources[id].Type === 'AWS::EC2::Volume');
    before.Resources[volume as string].DeletionPolicy = 'Delete';
    expect(findings(before, template(3), mayLeave(2, 3))).toEqual([
      expect.objectContaining({ rule: 'state', message: expect.stringContaining('yet has Delete') }),
    ]);
    expect(new Set(findings(template(2), template(2), mayLeave(2, 3)).map(({ rule }) => rule))).toEqual(
      new Set(['manifest']),
    );
  });

  // Templates that the CDK makes, as renames and moves change what CDK derives from paths.
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

  test('when a construct is renamed, and says so', () => {
    const found = findings(
      before,
      stackOf((stack) => data(stack, stack, 'Db')),
    );
    expect(found.map(({ message }) => message)).toContainEqual(
      expect.stringMatching(
        /^AWS::RDS::DBInstance is removed, .*DbInstance.* is new: a construct that is renamed or moved/,
      ),
    );
  });

  test('when a construct moves into another scope', () => {
    const found = findings(
      before,
      stackOf((stack) => data(new Construct(stack, 'Data'), stack, 'Database')),
    );
    expect(found.map(({ message }) => message.split(',')[0])).toEqual(
      expect.arrayContaining(['AWS::RDS::DBInstance is removed', 'AWS::SecretsManager::Secret is removed']),
    );
  });

  // https://github.com/aws/aws-cdk/issues/6683; the Network of this project has three from the beginning, and refuses fewer.
  test('when the network gets a third zone, which gives the subnets of the other two new addresses', () => {
    const zones = (maxAzs: number) => stackOf((stack) => new Vpc(stack, 'Vpc', { maxAzs, natGateways: 0 }));
    const found = findings(zones(2), zones(3));
    expect(found.map(({ rule, id }) => [rule, id])).toContainEqual(['network', expect.stringContaining('Subnet')]);
    expect(found.map(({ message }) => message.split(',')[0])).toContain('AWS::EC2::Subnet is replaced by CidrBlock');
  });

  test('when the whole shop moves below another construct', () => {
    const stack = new ShopStack(makeApp(), 'phase-1');
    new SingleBox(new Construct(stack, 'Shops'), 'Shop', { appBundle: APP_BUNDLE, ...DOMAIN });
    const gone = findings(template(1), templateOf(stack)).map(({ message }) => message.split(' ')[0]);
    expect(gone).toEqual(expect.arrayContaining(['AWS::EC2::Volume', 'AWS::EC2::VPC', 'AWS::KMS::Key']));
  });
});
