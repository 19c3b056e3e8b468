import { CloudFormationClient, CreateStackCommand } from '@aws-sdk/client-cloudformation';
import { type Moto, startMoto } from '../../../tools/emulator/moto';
import { describeDeployed, readDeployed } from '../../../tools/evolution/deployed';
import { ACCOUNT, emulatorEnv, REGION } from '../../../tools/support/aws-environment';
import { describeWith } from '../../support/needs';

const own = { ...process.env };

describeWith('moto server', 'a deployed shop', () => {
  let moto: Moto;
  const running = {
    Resources: { Topic: { Type: 'AWS::SNS::Topic', Properties: { DisplayName: 'Läden' } } },
    Outputs: { Phase: { Value: '4' } },
  };

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
});
