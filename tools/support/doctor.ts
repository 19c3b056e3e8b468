import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { findBinaries, motoVersion } from './programs';
import { table } from './table';
import { UsageError } from './usage-error';

/** A program that the project can use, and what for. */
interface Part {
  readonly name: string;
  readonly neededFor: string;
  /** Without it the project does not run at all. */
  readonly required?: boolean;
  /** Its version or place; undefined when it is not here. */
  readonly find: () => string | undefined;
  readonly install: Install;
}

/** Command that installs a part, by package manager. */
interface Install {
  readonly apt: string;
  readonly brew: string;
}

export interface Finding {
  readonly name: string;
  readonly neededFor: string;
  readonly required: boolean;
  readonly found?: string;
  /** Command that installs it; only when it is not here. */
  readonly install?: string;
}

const OLDEST_NODE = [20, 19] as const;

const parts: readonly Part[] = [
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
    neededFor: "npm test: the server's set-up scripts",
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
    neededFor: 'npm run bench -- edge, farm',
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

/** Looks for the parts with these names, or for every part; starts nothing and reaches no network. */
export function examine(names: readonly string[] = parts.map((part) => part.name)): Finding[] {
  const manager = execute('which', 'brew') ? 'brew' : 'apt';
  return parts
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

/** Those of the parts with these names that are not here. */
export function missingParts(names: readonly string[]): Finding[] {
  return examine(names).filter(({ found }) => found === undefined);
}

/**
 * @param user what needs the parts, such as `phase 3`
 * @throws UsageError when one is missing, with the command that installs it
 */
export function checkParts(user: string, names: readonly string[]): void {
  const missing = missingParts(names);
  if (missing.length === 0) return;
  const commands = missing.map(({ name, install }) => `${name} is not here: ${install}`);
  throw new UsageError(`${user} needs programs of the system; ${commands.join('; ')}`);
}

/** The verb `doctor`. Returns the exit code: 1 when a required part is missing. */
export function doctor(options: { readonly json: boolean }): number {
  const findings = examine();
  console.log(options.json ? JSON.stringify(findings, null, 2) : render(findings));
  return findings.some((finding) => finding.required && finding.found === undefined) ? 1 : 0;
}

function render(findings: readonly Finding[]): string {
  const rows = findings.map((finding) => {
    const mark = finding.found !== undefined ? '✓' : finding.required ? '✗' : '–';
    return [mark, finding.name, finding.found ?? `not here: ${finding.install}`, finding.neededFor];
  });
  const missing = findings.filter((finding) => finding.found === undefined);
  const required = missing.filter((finding) => finding.required);
  const summary =
    missing.length === 0
      ? 'Everything is here.'
      : `${missing.length} not here, ${required.length} of them required; the others are only needed for what is said beside them.`;
  return `${table([' ', 'part', 'found', 'needed for'], rows)}\n\n${summary}`;
}

function nodeVersion(): string | undefined {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  const newEnough = major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
  return newEnough ? process.version : undefined;
}

/** Its version, told by itself: it is there, and it runs on this machine. */
function embeddedPostgres(): string | undefined {
  try {
    return version(findBinaries().postgres, '--version');
  } catch {
    return undefined;
  }
}

/** Only whether there are some: whether they are valid would need the network. */
function awsCredentials(): string | undefined {
  if (process.env.AWS_ACCESS_KEY_ID) return 'AWS_ACCESS_KEY_ID';
  if (process.env.AWS_PROFILE) return `profile ${process.env.AWS_PROFILE}`;
  const file = process.env.AWS_SHARED_CREDENTIALS_FILE ?? join(homedir(), '.aws', 'credentials');
  if (existsSync(file)) return file;
  const config = process.env.AWS_CONFIG_FILE ?? join(homedir(), '.aws', 'config');
  return existsSync(config) ? config : undefined;
}

/** The first version number that the program prints. */
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
