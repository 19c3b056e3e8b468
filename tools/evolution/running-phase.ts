/**
 * Reads the phase of the deployed shop with the CDK CLI's credentials, if there are any. Without sufficient permissions, the setup of
 * the instances still rejects a deploy that would lose orders (docs/decisions/041-refuse-a-step-back-at-synth.md).
 *
 * @returns undefined if there is no account or no stack, or if the phase cannot be read, which prints a warning
 */
export async function runningPhase(stackName: string): Promise<number | undefined> {
  const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region } = process.env;
  if (!account) return undefined;
  try {
    // A synth without an account does not load the AWS SDK.
    const { describeDeployed } = await import('./deployed.js');
    const stack = await describeDeployed(stackName, region);
    if (stack && stack.account !== account) throw new Error(`it is in account ${stack.account}, not ${account}`);
    return stack?.phase;
  } catch (error) {
    console.error(
      `warning: cannot read the phase of the stack ${stackName}, so a step back is not detected: ${(error as Error).message}`,
    );
    return undefined;
  }
}
