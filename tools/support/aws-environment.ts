/** Account id that moto simulates, and the region for deployments to it. */
export const ACCOUNT = '123456789012';
export const REGION = 'us-east-1';

/** Disables the SDK's warning about the end of Node 20 support. The tools of this project also run on Node 20. */
export const QUIET_SDK = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' };

/**
 * Returns the environment for programs that use the emulator. Removes the user's own AWS settings, so that no call can reach a real
 * account. Keeps `CDK_VALIDATION`, which only affects synth.
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
