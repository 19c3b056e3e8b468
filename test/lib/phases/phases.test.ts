import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fullDiff, ResourceImpact } from '@aws-cdk/cloudformation-diff';
import type { FarmProps } from '../../../lib/phases/shop-props';
import { type BoxSizeName, sizes } from '../../../lib/phases/sizes';
import { synthesize } from '../../../tools/cloudformation/assembly';
import { findingsOf, lint } from '../../support/checks';
import { describeWith } from '../../support/needs';
import {
  DOMAIN,
  elasticVariants,
  farmVariants,
  isStateful,
  makePhase,
  templateDiff,
  variants,
} from '../../support/stack';
import { type PhaseId, phaseTemplate, resourcesOf, type TemplateJson } from '../../support/templates';

jest.mock('../../../tools/cloudformation/assembly', () => require('../../support/shared-synth'));

const ROOT = join(__dirname, '../../..');
const BOXES: readonly PhaseId[] = ['phase-1', 'phase-2'];
const PHASES: readonly PhaseId[] = [...BOXES, 'phase-3'];
const everyVariant = [...variants, ...farmVariants];

// Each synth without a domain prints the warning about plain HTTP.
jest.spyOn(console, 'error').mockImplementation();

describe('snapshots', () => {
  test.each(PHASES)('default template of %s', (id) => {
    expect(phaseTemplate(id)).toMatchSnapshot();
  });

  test.each(PHASES)('differences in %s: domain', (id) => {
    expect(templateDiff(phaseTemplate(id), phaseTemplate(id, DOMAIN))).toMatchSnapshot();
  });

  test.each(farmVariants)('differences in phase-3: $name', ({ props }) => {
    expect(templateDiff(phaseTemplate('phase-3'), phaseTemplate('phase-3', props))).toMatchSnapshot();
  });

  test('differences in phase-1: email address and budget', () => {
    const props = { alarmEmail: 'ops@example.com', monthlyBudget: 100 };
    expect(templateDiff(phaseTemplate('phase-1'), phaseTemplate('phase-1', props))).toMatchSnapshot();
  });

  test.each(Object.keys(sizes) as BoxSizeName[])('differences in phase-1: size %s', (size) => {
    expect(templateDiff(phaseTemplate('phase-1'), phaseTemplate('phase-1', { size }))).toMatchSnapshot();
  });
});

describe('a larger size', () => {
  const names = Object.keys(sizes) as BoxSizeName[];
  const steps = names.slice(1).map((to, index) => ({ from: names[index] as BoxSizeName, to }));

  test.each(steps)('from $from to $to replaces nothing', ({ from, to }) => {
    const diff = fullDiff(phaseTemplate('phase-1', { size: from }), phaseTemplate('phase-1', { size: to }));
    const impacts: Record<string, string> = {};
    diff.resources.forEachDifference((id, change) => {
      impacts[`${change.resourceType} ${id}`] = change.changeImpact;
    });
    const replaced = Object.entries(impacts).filter(([, impact]) =>
      [ResourceImpact.WILL_REPLACE, ResourceImpact.MAY_REPLACE, ResourceImpact.WILL_ORPHAN].includes(
        impact as ResourceImpact,
      ),
    );
    // `InstanceType` is create-only for instance-store instances. CloudFormation stops and starts one with an EBS root volume:
    // https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-instance.html#cfn-ec2-instance-instancetype
    expect(replaced.map(([id]) => id.split(' ')[0])).toEqual(['AWS::EC2::Instance']);
    expect(replaced[0]?.[1]).toBe(ResourceImpact.MAY_REPLACE);
  });

  test('changes instance type and data volume, and the settings that contain them', () => {
    const changed = templateDiff(phaseTemplate('phase-1'), phaseTemplate('phase-1', { size: 'growth' })).map((line) =>
      line.replace(/: .*/, '').replace(/[0-9A-F]{8}\b/g, ''),
    );
    expect(changed.filter((path) => !/^Resources\.Shop(Dashboard|BoxMonitoring)/.test(path))).toEqual([
      'Resources.ShopBoxInstance.Properties.InstanceType',
      'Resources.ShopBoxDataVolume.Properties.Iops',
      'Resources.ShopBoxDataVolume.Properties.Size',
      'Resources.ShopBoxDataVolume.Properties.Throughput',
      'Resources.ShopBoxSetup.Properties.Parameters.commands.3',
      'Resources.ShopBoxSetup.Properties.Parameters.commands.5',
    ]);
  });

  test('never has a smaller data volume than the previous size', () => {
    for (const { from, to } of steps) {
      expect(sizes[to].dataGib).toBeGreaterThanOrEqual(sizes[from].dataGib);
      expect(sizes[to].vcpus).toBeGreaterThan(sizes[from].vcpus);
    }
  });
});

describe('from phase 1 to phase 2', () => {
  const before = phaseTemplate('phase-1');
  const after = phaseTemplate('phase-2');
  const diff = fullDiff(before, after);

  test('no resource is removed, changed in type, or replaced', () => {
    const touched: string[] = [];
    diff.resources.forEachDifference((id, change) => {
      if (change.isAddition) return;
      if (change.changeImpact !== ResourceImpact.WILL_UPDATE) touched.push(`${id}: ${change.changeImpact}`);
    });
    expect(touched).toEqual([]);
  });

  test('no stateful resource changes', () => {
    for (const [id, resource] of Object.entries(before.Resources)) {
      if (isStateful(resource) || /VPC$|Subnet$/.test(resource.Type)) {
        expect({ id, resource: after.Resources[id] }).toEqual({ id, resource });
      }
    }
  });

  test('of existing resources, only setup, role, termination protection and dashboard change', () => {
    const changed: string[] = [];
    diff.resources.forEachDifference((_, change) => {
      if (!change.isAddition) changed.push(change.resourceType ?? '');
    });
    expect(changed.sort()).toEqual([
      'AWS::CloudWatch::Dashboard',
      'AWS::EC2::Instance',
      'AWS::IAM::Policy',
      'AWS::SSM::Association',
    ]);
    const [instanceId] = Object.keys(resourcesOf(before, 'AWS::EC2::Instance'));
    const of = ({ Resources }: TemplateJson) => Resources[instanceId as string].Properties;
    expect(templateDiff(of(before), of(after))).toEqual(['DisableApiTermination: true -> false']);
  });

  test('the outputs of phase 1 remain', () => {
    expect(Object.keys(after.Outputs ?? {})).toEqual(expect.arrayContaining(Object.keys(before.Outputs ?? {})));
  });
});

describe('from phase 2 to phase 3', () => {
  const before = phaseTemplate('phase-2', DOMAIN);
  const after = phaseTemplate('phase-3', DOMAIN);
  const diff = fullDiff(before, after);

  // The RDS resource schema also covers Aurora, where a change of MultiAZ may replace the instance. RDS for PostgreSQL updates it
  // without interruption:
  // https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.MultiAZ.Migrating.html
  test('no remaining resource is replaced; only MultiAZ of the database changes', () => {
    const touched: string[] = [];
    diff.resources.forEachDifference((id, change) => {
      if (change.isAddition || change.isRemoval) return;
      if (change.changeImpact !== ResourceImpact.WILL_UPDATE) touched.push(`${id}: ${change.changeImpact}`);
    });
    const [database] = Object.keys(resourcesOf(before, 'AWS::RDS::DBInstance'));
    expect(touched).toEqual([`${database}: MAY_REPLACE`]);
  });

  test('only the instance and its parts are removed', () => {
    const removed: string[] = [];
    diff.resources.forEachDifference((id, change) => {
      if (change.isRemoval) removed.push(id.replace(/[0-9A-F]{8}$/, ''));
    });
    expect(removed.filter((id) => !/^Shop(Box|DatabaseFromBox|BackupPlanDataVolume)/.test(id))).toEqual([]);
    expect(removed).toContain('ShopBoxInstance');
  });

  test('a removed resource with data is retained', () => {
    const removed: string[] = [];
    for (const [id, resource] of Object.entries(before.Resources)) {
      if (!isStateful(resource) || after.Resources[id]) continue;
      removed.push(resource.Type);
      expect(resource.DeletionPolicy).toBe('RetainExceptOnCreate');
    }
    expect(removed).toEqual(['AWS::EC2::Volume']);
  });

  test('the instance can be terminated: without termination protection, and without detaching a mounted volume', () => {
    const [instance] = Object.values(resourcesOf(before, 'AWS::EC2::Instance'));
    expect(instance.Properties.DisableApiTermination).toBe(false);
    const [attachment] = Object.values(resourcesOf(before, 'AWS::EC2::VolumeAttachment'));
    expect(attachment.DeletionPolicy).toBe('RetainExceptOnCreate');
  });

  test('the database gets a standby and no other change', () => {
    const [id, database] = Object.entries(resourcesOf(before, 'AWS::RDS::DBInstance'))[0] as [string, unknown];
    expect(templateDiff(database, after.Resources[id])).toEqual(['Properties.MultiAZ: (none) -> true']);
  });

  test('no key, secret, vault or network changes, except for decrypt permissions in the key policy', () => {
    for (const [id, resource] of Object.entries(before.Resources)) {
      const kept = isStateful(resource) || /VPC$|Subnet$/.test(resource.Type);
      if (!kept || !after.Resources[id] || resource.Type === 'AWS::RDS::DBInstance') continue;
      const changed = templateDiff(resource, after.Resources[id]);
      expect(changed.filter((line) => !line.startsWith('Properties.KeyPolicy.Statement'))).toEqual([]);
    }
  });

  test('the one record of the domain moves to the load balancer after the fleet is healthy', () => {
    const [id] = Object.keys(resourcesOf(before, 'AWS::Route53::RecordSet'));
    const record = resourcesOf(after, 'AWS::Route53::RecordSet')[id as string];
    expect(record.Properties).toMatchObject({ Type: 'A', AliasTarget: expect.anything() });
    expect(record.DependsOn).toEqual(Object.keys(resourcesOf(after, 'AWS::AutoScaling::AutoScalingGroup')));
  });

  test('the outputs for operators remain', () => {
    expect(Object.keys(after.Outputs ?? {})).toEqual(
      expect.arrayContaining(['Phase', 'Url', 'OpenSession', 'DatabaseEndpoint']),
    );
  });
});

describe('a later deploy of phase 3', () => {
  test('with more servers changes only their number and the connection pools', () => {
    const changed = templateDiff(phaseTemplate('phase-3'), phaseTemplate('phase-3', { servers: 10 })).map((line) =>
      line.replace(/: .*/, '').replace(/[0-9A-F]{8}\b/g, ''),
    );
    const expected = /^Resources\.Shop(FleetGroup|FleetLaunchTemplate|FleetMonitoringTooFewAlarm)/;
    expect(changed.filter((path) => !expected.test(path))).toEqual([]);
  });

  test('with one fewer replica keeps the others', () => {
    const ids = (replicas: number) =>
      Object.keys(resourcesOf(phaseTemplate('phase-3', { replicas }), 'AWS::RDS::DBInstance'));
    expect(ids(2)).toHaveLength(3);
    expect(ids(2)).toEqual(expect.arrayContaining(ids(1)));
  });
});

describe('a later deploy of the same phase', () => {
  const appOf = (script: string) => {
    const dir = mkdtempSync(join(tmpdir(), 'app-'));
    writeFileSync(join(dir, 'server.js'), script);
    return dir;
  };

  test.each(BOXES)('of %s with another app changes only its setup and read permissions', (id) => {
    const [one, other] = [appOf('1'), appOf('2')];
    const diff = fullDiff(phaseTemplate(id, { appBundle: one }), phaseTemplate(id, { appBundle: other }));
    const changed: string[] = [];
    diff.resources.forEachDifference((_, change) => {
      changed.push(`${change.resourceType}: ${change.changeImpact}`);
    });
    rmSync(one, { recursive: true });
    rmSync(other, { recursive: true });
    expect(changed.sort()).toEqual(['AWS::IAM::Policy: WILL_UPDATE', 'AWS::SSM::Association: WILL_UPDATE']);
  });

  test.each(BOXES)('of %s does not change image, user data or volume', (id) => {
    const [instance] = Object.values(resourcesOf(phaseTemplate(id), 'AWS::EC2::Instance'));
    expect(instance.Properties.ImageId).toBeUndefined();
    expect(instance.Properties.UserData).toBeUndefined();
    expect(instance.Properties.BlockDeviceMappings).toBeUndefined();
    expect(instance.Properties.LaunchTemplate.Version).toBe('1');
    // CloudFormation resolves an image parameter at each deploy, so there must be none.
    expect(Object.keys(phaseTemplate(id).Parameters ?? {})).toEqual(['BootstrapVersion']);
    const [volume] = Object.values(resourcesOf(phaseTemplate(id), 'AWS::EC2::Volume'));
    expect(volume.Properties.AvailabilityZone).toEqual({
      'Fn::GetAtt': [expect.stringMatching(/PublicSubnet1Subnet/), 'AvailabilityZone'],
    });
  });
});

describe('every phase', () => {
  test.each(everyVariant)('$id $name retains its state when the stack is deleted', ({ id, props }) => {
    for (const [name, resource] of Object.entries(phaseTemplate(id, props).Resources)) {
      if (!isStateful(resource)) continue;
      expect([name, resource.DeletionPolicy, resource.UpdateReplacePolicy]).toEqual([
        name,
        'RetainExceptOnCreate',
        'Retain',
      ]);
    }
  });

  test.each(PHASES)('%s has no phase in a name, tag or id, so that the next phase does not change it', (id) => {
    expect(JSON.stringify(phaseTemplate(id))).not.toMatch(/phase-?\d/);
  });

  test.each(PHASES)('%s has no Lambda function', (id) => {
    expect(Object.keys(resourcesOf(phaseTemplate(id), 'AWS::Lambda::Function'))).toEqual([]);
  });

  test.each(PHASES)('%s passes no secret to Systems Manager or in user data', (id) => {
    const template = phaseTemplate(id);
    const setups = {
      ...resourcesOf(template, 'AWS::SSM::Association'),
      ...resourcesOf(template, 'AWS::EC2::LaunchTemplate'),
    };
    expect(JSON.stringify(setups)).not.toMatch(/resolve:secretsmanager|password/i);
  });

  test.each(PHASES)('%s is environment-agnostic and has no context lookups', (id) => {
    const { app, stack } = makePhase(id, DOMAIN);
    const assembly = app.synth();
    expect(assembly.manifest.missing).toBeUndefined();
    expect(assembly.getStackArtifact(stack.artifactId).environment.name).toBe('aws://unknown-account/unknown-region');
    expect(assembly.getStackArtifact(stack.artifactId).stackName).toBe('shop');
    expect(assembly.getStackArtifact(stack.artifactId).terminationProtection).toBe(true);
  });

  test('warns at synth only when served over plain HTTP', () => {
    const warnings = (props: Partial<FarmProps>) =>
      makePhase('phase-1', props).shop.address.node.metadata.filter(({ type }) => type === 'aws:cdk:warning').length;
    expect(warnings({})).toBe(1);
    expect(warnings(DOMAIN)).toBe(0);
  });
});

/** Checks that cdk-nag lacks. */
describe('custom checks', () => {
  test.each(everyVariant)('every fleet behind a load balancer in $id $name uses its health checks', ({ id, props }) => {
    for (const group of Object.values(resourcesOf(phaseTemplate(id, props), 'AWS::AutoScaling::AutoScalingGroup'))) {
      if (!group.Properties.TargetGroupARNs) continue;
      expect(group.Properties).toMatchObject({ HealthCheckType: 'ELB', HealthCheckGracePeriod: expect.any(Number) });
      expect(group.Properties.HealthCheckGracePeriod).toBeGreaterThan(0);
    }
  });

  test.each(everyVariant)('a listener without TLS in $id $name redirects or has a warning', ({ id, props }) => {
    const open = Object.values(resourcesOf(phaseTemplate(id, props), 'AWS::ElasticLoadBalancingV2::Listener')).filter(
      ({ Properties }) => Properties.Protocol !== 'HTTPS' && Properties.DefaultActions[0].Type !== 'redirect',
    );
    const { metadata } = makePhase(id, props).shop.address.node;
    expect(open.length === 0 || metadata.some(({ type }) => type === 'aws:cdk:warning')).toBe(true);
  });

  test.each(everyVariant)(
    'every server of $id $name requires IMDSv2 and has an encrypted root volume',
    ({ id, props }) => {
      const templates = Object.values(resourcesOf(phaseTemplate(id, props), 'AWS::EC2::LaunchTemplate'));
      expect(templates.length).toBeGreaterThan(0);
      for (const { Properties } of templates) {
        expect(Properties.LaunchTemplateData).toMatchObject({
          MetadataOptions: { HttpTokens: 'required' },
          BlockDeviceMappings: [{ Ebs: { Encrypted: true } }],
        });
      }
    },
  );
});

/** external-checks.drill.ts has the other variants: each check takes seconds. */
describe('external checks', () => {
  test.each([...variants, ...elasticVariants])(
    'cdk-nag and the validation of the CDK find nothing without a written reason in $id $name',
    (variant) => {
      expect(findingsOf(variant, true)).toEqual({ findings: [], failure: undefined });
    },
  );
});

describeWith('cfn-lint', 'cfn-lint', () => {
  test('has no error and no warning in the first and the last phase with everything', () => {
    const checked = [...variants, ...elasticVariants].filter(
      ({ id, name }) => name === 'with everything' && /[14]$/.test(id),
    );
    expect(checked).toHaveLength(2);
    expect(lint(checked)).toEqual({ stdout: '', status: 0 });
  });
});

describe('bin/shop.ts', () => {
  const dirs: string[] = [];
  const synth = async (context: Record<string, string> = {}) => {
    const dir = mkdtempSync(join(tmpdir(), 'cdk-out-'));
    dirs.push(dir);
    const { context: flags } = JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8'));
    const { PATH, HOME } = process.env;
    const child = spawn(process.execPath, ['--import', 'tsx', 'bin/shop.ts'], {
      cwd: ROOT,
      // No credentials, no region, and unreachable proxies.
      env: {
        PATH,
        HOME,
        HTTP_PROXY: 'http://127.0.0.1:9',
        HTTPS_PROXY: 'http://127.0.0.1:9',
        CDK_OUTDIR: dir,
        CDK_VALIDATION: 'false',
        CDK_CONTEXT_JSON: JSON.stringify({ ...flags, ...context }),
      },
    });
    const [stdout, stderr, [status]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ]);
    return { dir, stdout, stderr, status };
  };
  afterAll(() => {
    for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
  });

  test('writes the same templates as another synth, without credentials and without network access', async () => {
    const [{ status, dir }, others] = await Promise.all([synth(), synthesize()]);
    expect(status).toBe(0);
    expect(others.map(({ id }) => id)).toEqual(expect.arrayContaining([...PHASES]));
    for (const { id, template } of others) {
      const text = readFileSync(join(dir, `${id}.template.json`), 'utf8');
      // As text, to compare the order of keys, too.
      expect(JSON.stringify(JSON.parse(text))).toBe(JSON.stringify(template));
      expect((JSON.parse(text) as TemplateJson).Resources).not.toEqual({});
    }
  });

  test('rejects an invalid setting in one line, with exit code 2', async () => {
    const { status, stdout, stderr } = await synth({ size: 'huge' });
    expect({ status, stdout, stderr }).toEqual({
      status: 2,
      stdout: '',
      stderr: '-c size must be one of launch, growth, 8vcpu, 16vcpu, 32vcpu, 64vcpu, got "huge".\n',
    });
  });
});
