import { CloudFormationClient, DescribeStacksCommand, GetTemplateCommand } from '@aws-sdk/client-cloudformation';
import { parseTemplate } from '../cloudformation/parse';
import { missingAwsSetting } from '../support/aws-access';
import { UsageError } from '../support/usage-error';
import type { NamedTemplate } from './references';

export interface DeployedStack {
  readonly account: string;
  /** Value of its output `Phase`. */
  readonly phase?: number;
  readonly status: string;
}

/** Creates a client with short timeouts, so that a command fails fast without a network. */
function client(region: string | undefined): CloudFormationClient {
  return new CloudFormationClient({
    region,
    maxAttempts: 2,
    requestHandler: { connectionTimeout: 3_000, requestTimeout: 10_000 },
  });
}

/**
 * Describes a deployed stack. Returns undefined if it does not exist.
 *
 * @param region region of the stack; by default that of the environment or the AWS profile
 */
export async function describeDeployed(stackName: string, region?: string): Promise<DeployedStack | undefined> {
  try {
    const { Stacks = [] } = await client(region).send(new DescribeStacksCommand({ StackName: stackName }));
    const [stack] = Stacks;
    if (stack === undefined) return undefined;
    const phase = stack.Outputs?.find(({ OutputKey }) => OutputKey === 'Phase')?.OutputValue;
    return {
      account: stack.StackId?.split(':')[4] ?? '',
      phase: phase === undefined ? undefined : Number(phase),
      status: stack.StackStatus ?? '',
    };
  } catch (error) {
    const { name, message } = error as Error;
    if (name === 'ValidationError' && /does not exist/.test(message)) return undefined;
    throw error;
  }
}

/**
 * Reads the template of a deployed stack.
 *
 * @throws UsageError if the stack does not exist, region or credentials are missing, or the template cannot be read
 */
export async function readDeployed(stackName: string): Promise<NamedTemplate & { readonly phase?: number }> {
  const stack = await describeDeployed(stackName).catch((error: Error) => {
    const missing = missingAwsSetting(error);
    if (missing === 'region') {
      throw new UsageError('--deployed needs a region. Set AWS_REGION or use a profile with a region.');
    }
    if (missing === 'credentials') {
      throw new UsageError('--deployed needs AWS credentials. Set AWS_PROFILE or run aws configure.');
    }
    throw error;
  });
  if (stack === undefined)
    throw new UsageError(`--deployed must be a stack in this account and region, got ${stackName}.`);
  const { TemplateBody = '' } = await client(undefined).send(
    new GetTemplateCommand({ StackName: stackName, TemplateStage: 'Original' }),
  );
  try {
    return { name: `${stackName} (deployed)`, template: parseTemplate(TemplateBody), phase: stack.phase };
  } catch (error) {
    throw new UsageError(`--deployed ${stackName}: cannot read the template: ${(error as Error).message}`);
  }
}
