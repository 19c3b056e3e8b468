import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { UsageError } from '../usage-error';

const ROOT = resolve(__dirname, '../..');
const CDK = resolve(ROOT, 'node_modules/aws-cdk/bin/cdk');

/** The account that moto plays, and the region that the phases are deployed to in it. */
export const ACCOUNT = '123456789012';
export const REGION = 'us-east-1';

/** Without the SDK's word that it will want a newer Node some day: the tools of this project run on 20 as well. */
export const QUIET_SDK = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' };

/**
 * The environment of programs that talk to the emulator. Nothing of the person's own AWS set-up is left in it, so that no
 * call can reach a real account.
 */
export function emulatorEnv(endpoint: string): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(AWS|CDK)_/.test(name));
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

/**
 * Runs the project's own CDK CLI from the project's root.
 *
 * @param say told each line that it prints
 * @throws UsageError when the CDK app refuses its input; else with the last lines, when the exit code is not 0
 */
export async function cdk(args: readonly string[], env: NodeJS.ProcessEnv, say: (line: string) => void): Promise<void> {
  const child = spawn(process.execPath, [CDK, ...args, '--no-notices', '--no-color'], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const last: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines.filter((one) => one.trim() !== '')) {
        last.push(line);
        if (last.length > 15) last.shift();
        say(line);
      }
    });
  }
  const code = await new Promise<number | null>((done) => child.once('close', done));
  // The CDK CLI's own exit code for it is 1, like for everything.
  const refused = last.findIndex((line) => line.includes('Subprocess exited with error 2'));
  if (refused > 0) throw new UsageError(last[refused - 1]);
  if (code !== 0) throw new Error(`cdk ${args[0]} ended with exit code ${code}:\n${last.join('\n')}`);
}
