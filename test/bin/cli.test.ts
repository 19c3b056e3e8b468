import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';

const ROOT = resolve(__dirname, '../..');
const scripts = require('../../package.json').scripts as Record<string, string>;

interface Ended {
  readonly status: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(...args: string[]): Ended {
  return runWith(process.env, ...args);
}

function runWith(env: NodeJS.ProcessEnv, ...args: string[]): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'bin/cli.ts', ...args], {
    cwd: ROOT,
    encoding: 'utf8',
    env,
  });
  return { status, stdout, stderr };
}

/** Runs the command line in this process, which is faster. Only for runs that end while parsing the arguments. */
async function parse(...args: string[]): Promise<Ended> {
  const said = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((stream) =>
    jest.spyOn(process[stream], 'write').mockImplementation((text) => {
      said[stream] += text;
      return true;
    }),
  );
  const { argv } = process;
  process.argv = [process.execPath, 'bin/cli.ts', ...args];
  process.exitCode = undefined;
  try {
    jest.isolateModules(() => require('../../bin/cli'));
    while (process.exitCode === undefined) await setImmediate();
    return { status: process.exitCode, ...said };
  } finally {
    process.argv = argv;
    process.exitCode = undefined;
    for (const spy of spies) spy.mockRestore();
  }
}

const commands = Object.entries(scripts)
  .filter(([, command]) => command.includes('bin/cli.ts'))
  .map(([name]) => name);

test('package.json has a script for each command', async () => {
  const listed = [...((await parse('--help')).stdout.split('Commands:')[1] ?? '').matchAll(/^ {2}([a-z:]+) /gm)].map(
    ([, name]) => name,
  );
  expect(listed).toEqual(expect.arrayContaining(['start', 'deploy:local']));
  expect(commands).toEqual(listed);
});

test.each(commands)('%s --help shows the usage', async (name) => {
  const { status, stdout, stderr } = await parse(name, '--help');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain(`Usage: npm run ${name} -- `);
});

test.each([
  [['start', '5'], "'5' is invalid for argument 'phase'. Allowed: 1, 2, 3, 4."],
  [['start', '--port', 'http'], "'--port <port>' argument 'http' is invalid. Allowed: a whole number from 1 to 65535."],
  [['start', '--port', '65536'], "'65536' is invalid. Allowed: a whole number from 1 to 65535."],
  [['start', '--prot', '80'], "unknown option '--prot'"],
  [['start', '1', '2'], 'too many arguments'],
  [['deploy:local'], "missing required argument 'phase'"],
  [
    ['deploy:local', 'phase-9'],
    "'phase-9' is invalid for argument 'phase'. Allowed: phase-1, phase-2, phase-3, phase-4.",
  ],
  [['simulate', '--phase', '1'], "'--phase <number>' argument '1' is invalid. Allowed: 3, 4."],
  [['plan'], "required option '--rps <number>' not specified"],
  [['plan', '--rps', '5000', '--survive', 'region'], 'Allowed choices are nothing, server, zone.'],
  [['advise', '--latency-objective', '0'], "argument '0' is invalid. Allowed: a number from 1 to 60000."],
  [['advise', '--period', '90'], "argument '90' is invalid. Must be a multiple of 60, up to 86400."],
  [
    ['bench', 'everything'],
    "'everything' is invalid for argument 'benchmark'. Allowed: synth, overload, wait, catalogue, ",
  ],
  [['bench', 'outage', '--seconds', '0'], "'0' is invalid. Allowed: a whole number from 1 to 600."],
  [['bench', 'demand', '--seconds', '0.5'], "'0.5' is invalid. Allowed: a whole number from 1 to 600."],
  [['evolution', '--json', '--markdown'], "option '--json' cannot be used with option '--markdown'"],
  [['deploy'], "unknown command 'deploy'"],
])('bad input %j: a one-line error and exit code 2', async (args, line) => {
  expectOneLine(await parse(...args), line);
});

// The parser rejects the first, the command rejects the other.
test.each([
  [['start', '5'], "'5' is invalid for argument 'phase'. Allowed: 1, 2, 3, 4."],
  [['prices', '--region', 'mars'], '--region must be an AWS Region such as eu-central-1, got mars.'],
])('bad input %j in a process of npm: a one-line error and exit code 2', (args, line) => {
  expectOneLine(run(...args), line);
});

function expectOneLine({ status, stdout, stderr }: Ended, line: string): void {
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toContain(line);
  expect(stderr.trim()).not.toContain('\n');
}

test('doctor lists installed and missing programs as a table and as JSON', () => {
  // Without a PATH it finds no program, which is faster.
  expect(runWith({ PATH: '' }, 'doctor').stdout).toMatch(/✓ {2}node +v\d+/);
  const { status, stdout } = run('doctor', '--json');
  expect(status).toBe(0);
  const checks = JSON.parse(stdout) as { name: string; found?: string; install?: string }[];
  expect(checks.map(({ name }) => name)).toContain('embedded PostgreSQL');
  for (const { found, install } of checks) expect(found ?? install).toMatch(/\S/);
});

test('a benchmark refuses an unknown commit before it starts anything', () => {
  expectOneLine(
    run('bench', 'catalogue', '--against', 'no-such-commit'),
    '--against must be a commit of this repository, got no-such-commit. In a shallow clone, run git fetch --unshallow.',
  );
});

test('a benchmark lists missing programs with their install commands', () => {
  const { status, stderr } = runWith({ PATH: '' }, 'bench', 'farm');
  expect(stderr).toMatch(/bench farm needs missing programs: .*h2load\. Run: .*apt-get install nghttp2-client\n$/);
  expect(status).toBe(2);
});

test.each([
  [{}, '--deployed needs a region. Set AWS_REGION or use a profile with a region.\n'],
  [{ AWS_REGION: 'eu-west-1' }, '--deployed needs AWS credentials. Set AWS_PROFILE or run aws configure.\n'],
])('without region or credentials, --deployed prints a one-line error: %p', (settings, stderr) => {
  const noCredentials = {
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_'));
  const env = { ...Object.fromEntries(others), ...noCredentials, ...settings };
  expect(runWith(env, 'evolution', '--deployed')).toEqual({ status: 2, stdout: '', stderr });
});
