import { CloudFormationClient, DescribeStacksCommand, GetTemplateCommand } from '@aws-sdk/client-cloudformation';
import { parseTemplate } from '../cloudformation/parse';
import { missingAwsSetting } from '../support/aws-access';
import { UsageError } from '../support/usage-error';
import type { NamedTemplate } from './template';

export interface DeployedStack {
  readonly account: string;
  /** What its output `Phase` says. */
  readonly phase?: number;
  readonly status: string;
}

/** One call, and seconds at most: nobody waits for a network that is not there. */
function client(region: string | undefined): CloudFormationClient {
  return new CloudFormationClient({
    region,
    maxAttempts: 2,
    requestHandler: { connectionTimeout: 3_000, requestTimeout: 10_000 },
  });
}

/**
 * The stack of this name as it runs, or undefined when there is none.
 *
 * @param region where it runs; by default, that of the environment or the profile
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
 * The template that a stack was deployed with last.
 *
 * @throws UsageError when there is no such stack, nobody to ask, or its template cannot be read
 */
export async function readDeployed(stackName: string): Promise<NamedTemplate & { readonly phase?: number }> {
  const stack = await describeDeployed(stackName).catch((error: Error) => {
    const lacked = missingAwsSetting(error);
    if (lacked === 'region') {
      throw new UsageError(`--deployed ${stackName}: in no region; AWS_REGION or a profile must name one`);
    }
    if (lacked === 'credentials') {
      throw new UsageError(
        `--deployed ${stackName}: no AWS credentials; allowed is what the AWS CLI takes (AWS_PROFILE, …)`,
      );
    }
    throw error;
  });
  if (stack === undefined)
    throw new UsageError(`--deployed ${stackName}: there is no such stack in this account and region`);
  const { TemplateBody = '' } = await client(undefined).send(
    new GetTemplateCommand({ StackName: stackName, TemplateStage: 'Original' }),
  );
  try {
    return { name: `${stackName} as it runs`, template: parseTemplate(TemplateBody), phase: stack.phase };
  } catch (error) {
    throw new UsageError(`--deployed ${stackName}: its template cannot be read: ${(error as Error).message}`);
  }
}
