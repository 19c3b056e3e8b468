import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { findBinaries, motoVersion } from './programs';
import { table } from './table';
import { UsageError } from './usage-error';

/** A program or setting that the project uses. */
interface Prerequisite {
  readonly name: string;
  readonly neededFor: string;
  /**
   * Whether nothing works without it.
   *
   * @default false
   */
  readonly required?: boolean;
  /** Returns its version or location, or undefined if it is missing. */
  readonly find: () => string | undefined;
  readonly install: Install;
}

/** Install command by package manager. */
interface Install {
  readonly apt: string;
  readonly brew: string;
}

export interface ProgramCheck {
  readonly name: string;
  readonly neededFor: string;
  readonly required: boolean;
  /** Version or location; undefined if it is missing. */
  readonly found?: string;
  /** Install command, only if it is missing. */
  readonly install?: string;
}

const OLDEST_NODE = [20, 19] as const;

const prerequisites: readonly Prerequisite[] = [
  {
    name: 'node',
    neededFor: `everything (${OLDEST_NODE.join('.')} or newer)`,
    required: true,
    find: nodeVersion,
    install: { apt: 'https://nodejs.org/en/download', brew: 'brew install node@24' },
  },
  {
    name: 'embedded PostgreSQL',
    neededFor: 'npm start, npm test',
    required: true,
    find: embeddedPostgres,
    install: same('npm ci'),
  },
  {
    name: 'chromium',
    neededFor: 'npm test: pages in a real browser; npm run docs:board',
    find: () => version('chromium', '--version') ?? version('google-chrome', '--version'),
    install: { apt: 'apt-get install chromium', brew: 'brew install --cask chromium' },
  },
  {
    name: 'moto server',
    neededFor: 'npm run deploy:local; npm start, npm run rehearse: phase 4',
    find: motoVersion,
    install: same("pip install 'moto[server]'"),
  },
  {
    name: 'cfn-lint',
    neededFor: 'npm test: templates',
    find: () => version('cfn-lint', '--version'),
    install: { apt: 'pip install cfn-lint', brew: 'brew install cfn-lint' },
  },
  {
    name: 'shellcheck',
    neededFor: 'npm test: instance setup scripts',
    find: () => version('shellcheck', '--version'),
    install: { apt: 'apt-get install shellcheck', brew: 'brew install shellcheck' },
  },
  {
    name: 'redis-server',
    neededFor: 'npm start, npm run rehearse: phases 3 and 4',
    find: () => version('redis-server', '--version'),
    install: { apt: 'apt-get install redis-server', brew: 'brew install redis' },
  },
  {
    name: 'haproxy',
    neededFor: 'npm start, npm run rehearse: phases 3 and 4',
    find: () => version('haproxy', '-v'),
    install: { apt: 'apt-get install haproxy', brew: 'brew install haproxy' },
  },
  {
    name: 'pgbouncer',
    neededFor: 'npm start, npm run rehearse: phase 4',
    find: () => version('pgbouncer', '--version'),
    install: { apt: 'apt-get install pgbouncer', brew: 'brew install pgbouncer' },
  },
  {
    name: 'h2load',
    neededFor: 'npm run bench: catalogue, sessions, overload, edge, farm',
    find: () => version('h2load', '--version'),
    install: { apt: 'apt-get install nghttp2-client', brew: 'brew install nghttp2' },
  },
  {
    name: 'AWS credentials',
    neededFor: 'npx cdk deploy',
    find: awsCredentials,
    install: same('aws configure sso'),
  },
];

/** Checks the programs with these names, or all of them. Needs no network and starts no servers. */
export function checkPrograms(names: readonly string[] = prerequisites.map((part) => part.name)): ProgramCheck[] {
  const manager = execute('which', 'brew') ? 'brew' : 'apt';
  return prerequisites
    .filter((part) => names.includes(part.name))
    .map((part) => {
      const found = part.find();
      return {
        name: part.name,
        neededFor: part.neededFor,
        required: part.required ?? false,
        ...(found === undefined ? { install: part.install[manager] } : { found }),
      };
    });
}

/** Returns the missing ones of the programs with these names. */
export function findMissingPrograms(names: readonly string[]): ProgramCheck[] {
  return checkPrograms(names).filter(({ found }) => found === undefined);
}

/**
 * Checks that programs are installed.
 *
 * @param user name of the feature that needs them, such as `phase 3`
 * @throws UsageError with the install commands if a program is missing
 */
export function requirePrograms(user: string, required: readonly string[]): void {
  const missing = findMissingPrograms(required);
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => name).join(', ');
  throw new UsageError(
    `${user} needs missing programs: ${names}. Run: ${missing.map(({ install }) => install).join(' && ')}`,
  );
}

/** Runs the command `doctor`. Returns the exit code: 1 if a required program is missing. */
export function doctor(options: { readonly json: boolean }): number {
  const checks = checkPrograms();
  console.log(options.json ? JSON.stringify(checks, null, 2) : render(checks));
  return checks.some((check) => check.required && check.found === undefined) ? 1 : 0;
}

function render(checks: readonly ProgramCheck[]): string {
  const rows = checks.map((check) => {
    const mark = check.found !== undefined ? '✓' : check.required ? '✗' : '–';
    return [mark, check.name, check.found ?? `missing: ${check.install}`, check.neededFor];
  });
  const missing = checks.filter((check) => check.found === undefined);
  const required = missing.filter((check) => check.required);
  const summary =
    missing.length === 0
      ? 'All programs are installed.'
      : `${missing.length} missing; ${required.length > 0 ? required.length : 'none'} required.`;
  return `${table([' ', 'program', 'version or install command', 'needed for'], rows)}\n\n${summary}`;
}

function nodeVersion(): string | undefined {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  const newEnough = major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
  return newEnough ? process.version : undefined;
}

/** Runs the program for its version, which also proves that it works on this machine. */
function embeddedPostgres(): string | undefined {
  try {
    return version(findBinaries().postgres, '--version');
  } catch {
    return undefined;
  }
}

/** Returns the source of the AWS credentials. Does not validate them, which would need the network. */
function awsCredentials(): string | undefined {
  if (process.env.AWS_ACCESS_KEY_ID) return 'AWS_ACCESS_KEY_ID';
  if (process.env.AWS_PROFILE) return `profile ${process.env.AWS_PROFILE}`;
  const file = process.env.AWS_SHARED_CREDENTIALS_FILE ?? join(homedir(), '.aws', 'credentials');
  if (existsSync(file)) return file;
  const config = process.env.AWS_CONFIG_FILE ?? join(homedir(), '.aws', 'config');
  return existsSync(config) ? config : undefined;
}

/** Returns the first version number in the program's output. */
function version(program: string, ...args: string[]): string | undefined {
  return execute(program, ...args)?.match(/\d+(\.\d+)+/)?.[0];
}

function execute(program: string, ...args: string[]): string | undefined {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 30_000 });
  } catch {
    return undefined;
  }
}

function same(command: string): Install {
  return { apt: command, brew: command };
}
