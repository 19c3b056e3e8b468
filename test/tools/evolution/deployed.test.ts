import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { CloudFormationClient, CreateStackCommand } from '@aws-sdk/client-cloudformation';
import { transitionError } from '../../../lib/phases/transitions';
import { type Moto, startMoto } from '../../../tools/emulator/moto';
import { describeDeployed, readDeployed } from '../../../tools/evolution/deployed';
import { ACCOUNT, emulatorEnv, REGION } from '../../../tools/support/aws-environment';
import { describeWith } from '../../support/needs';

const ROOT = join(__dirname, '../../..');
const own = { ...process.env };

describeWith('moto server', 'a deployed shop', () => {
  let moto: Moto;
  const running = {
    Resources: { Topic: { Type: 'AWS::SNS::Topic', Properties: { DisplayName: 'Läden' } } },
    Outputs: { Phase: { Value: '4' } },
  };
  const dirs: string[] = [];

  beforeAll(async () => {
    moto = await startMoto();
    process.env = emulatorEnv(moto.endpoint);
    const client = new CloudFormationClient({});
    const deploy = (StackName: string, TemplateBody: string) =>
      client.send(new CreateStackCommand({ StackName, TemplateBody }));
    await deploy('shop', JSON.stringify(running));
    await deploy(
      'yaml',
      'Resources: { Topic: { Type: AWS::SNS::Topic, Properties: { DisplayName: !Ref AWS::Region } } }',
    );
  });

  afterAll(async () => {
    process.env = own;
    await moto.stop();
    for (const dir of dirs) rmSync(dir, { recursive: true });
  });

  test('is read with its template and phase', async () => {
    expect(await describeDeployed('shop', REGION)).toMatchObject({ account: ACCOUNT, phase: 4 });
    expect(await readDeployed('shop')).toMatchObject({ name: 'shop (deployed)', template: running, phase: 4 });
  });

  test('is also read from YAML', async () => {
    const { template } = await readDeployed('yaml');
    expect(template.Resources.Topic?.Properties).toEqual({ DisplayName: { Ref: 'AWS::Region' } });
  });

  test('that does not exist is a usage error', async () => {
    expect(await describeDeployed('other', REGION)).toBeUndefined();
    await expect(readDeployed('other')).rejects.toThrow(
      '--deployed must be a stack in this account and region, got other.',
    );
  });

  /** Synthesizes like the CDK CLI with credentials. Returns the errors of each stack. */
  const errors = async (context: Record<string, string>, env: NodeJS.ProcessEnv = {}) => {
    const dir = mkdtempSync(join(tmpdir(), 'cdk-out-'));
    dirs.push(dir);
    const flags = JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8')).context;
    const child = spawn(process.execPath, ['--import', 'tsx', 'bin/shop.ts'], {
      cwd: ROOT,
      env: {
        ...process.env,
        CDK_DEFAULT_ACCOUNT: ACCOUNT,
        CDK_DEFAULT_REGION: REGION,
        CDK_OUTDIR: dir,
        CDK_CONTEXT_JSON: JSON.stringify({ ...flags, ...context }),
        ...env,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const stderr = await text(child.stderr);
    const found: Record<string, unknown[]> = {};
    for (const id of ['phase-1', 'phase-2', 'phase-3', 'phase-4']) {
      const metadata = JSON.parse(readFileSync(join(dir, `${id}.metadata.json`), 'utf8'));
      const own: { type: string; data: unknown }[] = metadata[`/${id}`] ?? [];
      found[id] = own.filter(({ type }) => type === 'aws:cdk:error').map(({ data }) => data);
    }
    const report = join(dir, 'validation-report.json');
    const reports = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')).pluginReports : [];
    return {
      found,
      stderr,
      failedReports: reports.filter((one: { conclusion: string }) => one.conclusion === 'failure'),
    };
  };

  test('in phase 4 can only be deployed as phase 4; --all and earlier phases are refused', async () => {
    const { found } = await errors({});
    expect(found).toEqual({
      'phase-1': [transitionError(4, 1)],
      'phase-2': [transitionError(4, 2)],
      'phase-3': [transitionError(4, 3)],
      'phase-4': [],
    });
  });

  test('goes back with goBackFrom, but never to a phase without its orders', async () => {
    const { found, failedReports } = await errors({ goBackFrom: '4' });
    expect(found).toEqual({ 'phase-1': [transitionError(4, 1)], 'phase-2': [], 'phase-3': [], 'phase-4': [] });
    // An app-wide validation report would let the error of phase 1 fail a deploy of phase 3.
    expect(failedReports).toEqual([]);
  });

  test('in another account is only a warning', async () => {
    const { found, stderr } = await errors({}, { CDK_DEFAULT_ACCOUNT: '999999999999' });
    expect(Object.values(found).flat()).toEqual([]);
    expect(stderr).toContain('warning: cannot read the phase of the stack shop');
  });
});
