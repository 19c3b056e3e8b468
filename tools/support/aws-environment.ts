/** The account that moto plays, and the region that the phases are deployed to in it. */
export const ACCOUNT = '123456789012';
export const REGION = 'us-east-1';

/** Without the SDK's word that it will want a newer Node some day: the tools of this project run on 20 as well. */
export const QUIET_SDK = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' };

/**
 * The environment of programs that talk to the emulator. Nothing of the person's own AWS set-up is left in it, so that no
 * call can reach a real account. `CDK_VALIDATION` stays: whether a synth validates templates concerns no account.
 */
export function emulatorEnv(endpoint: string): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(AWS|CDK)_(?!VALIDATION$)/.test(name));
  return {
    ...Object.fromEntries(inherited),
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: 'emulator',
    AWS_SECRET_ACCESS_KEY: 'emulator',
    AWS_REGION: REGION,
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    CDK_DISABLE_CLI_TELEMETRY: 'true',
    ...QUIET_SDK,
  };
}
