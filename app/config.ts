import { availableParallelism, hostname } from 'node:os';
import { type Static, type TObject, type TSchema, Type } from 'typebox';
import { Value } from 'typebox/value';
import { APP_PORT } from '../lib/constants';

/** Where a secret comes from: its value itself, or the ARN under which AWS Secrets Manager keeps it. */
export type Secret = { readonly value: string } | { readonly arn: string };

/** What the environment settles. Made by {@link readConfig} only. */
export interface Config {
  /** TCP port; 0 takes a free one. */
  readonly port: number;
  readonly host: string;
  readonly phase: number;
  /** PostgreSQL URL, or the ARN of the secret that RDS keeps. */
  readonly database: Secret;
  readonly sessionStore: 'postgres' | 'redis' | 'cookie' | 'memory';
  /** Redis or Valkey; needed by the session store `redis`. */
  readonly redis?: RedisConfig | undefined;
  /** Replicas of the database, to be read from: a PostgreSQL URL each, or hosts that take the secret's credentials. */
  readonly replicas: { readonly urls: readonly string[] } | { readonly hosts: readonly string[] };
  readonly sessionSecret: Secret;
  /** Processes of this server. */
  readonly webConcurrency: number;
  /** Pooler in front of the database, such as RDS Proxy: a PostgreSQL URL, or a host that takes the secret's credentials. */
  readonly databaseProxy?: { readonly url: string } | { readonly host: string };
  /** Servers that share the database at most; sizes the connection pools. */
  readonly maxServers: number;
  /** Proxies in front, exactly: the client's address is taken that many hops from the right of `X-Forwarded-For`. */
  readonly trustProxy: number;
  /** What visitors speak: `https` when they can do nothing else, whatever the last hop to this server was. */
  readonly viewerProtocol: 'forwarded' | 'https';
  /** Prefix of the URLs of static files. */
  readonly assetsUrl: string;
  /** SQS queue that background jobs go through; without one, each server does its own. */
  readonly queueUrl?: string;
  /** CloudWatch namespace to publish metrics under; without one, none are. */
  readonly metricsNamespace?: string;
  /** Seconds between two publications. */
  readonly metricsPeriod: number;
  /** URL of EC2's instance metadata service, where the notice of a spot instance's end appears; absent where it cannot. */
  readonly instanceMetadata?: string;
  /** Whether what is more than a process can do is refused; without, it can be seen what happens then. */
  readonly loadShedding: boolean;
  /** Without it, the database is asked for every answer of the catalogue. */
  readonly catalogueCache: boolean;
  readonly serverName: string;
  readonly availabilityZone: string;
  readonly logLevel: string;
}

export interface RedisConfig {
  readonly url: string;
  /** ARN of a secret with the user and the password, `{"username":…,"password":…}`, for a URL that holds none. */
  readonly secretArn?: string | undefined;
  /** Replicas that must have a session before it counts as saved. */
  readonly minReplicas: number;
}

/** What `move.js` needs to know. Made by {@link readMoveConfig} only. */
export interface MoveConfig {
  /** PostgreSQL URL of the database whose data is moved, as a superuser. */
  readonly from?: string;
  /** The database that it moves to, as the app will reach it. */
  readonly to: Secret;
}

/** The environment cannot be used; one line for each value that is wrong. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly lines: readonly string[]) {
    super(lines.join('\n'));
  }
}

/** The first phase whose servers may be spot instances. */
const FIRST_SPOT_PHASE = 4;

/** `description` completes "must be …" in the line that refuses a value. */
const Environment = Type.Object({
  PORT: Type.Integer({
    minimum: 0,
    maximum: 65535,
    default: APP_PORT,
    description: 'an integer from 0 to 65535',
  }),
  HOST: Type.String({ default: '0.0.0.0', description: 'an address to listen on' }),
  PHASE: Type.Integer({ minimum: 1, maximum: 5, default: 1, description: 'an integer from 1 to 5' }),
  DATABASE_URL: Type.Optional(Type.String({ pattern: '^postgres(ql)?://', description: 'a postgres:// URL' })),
  DATABASE_SECRET_ARN: Type.Optional(
    Type.String({ pattern: '^arn:[^:]+:secretsmanager:', description: 'the ARN of a secret in AWS Secrets Manager' }),
  ),
  SESSION_STORE: Type.Union(
    (['postgres', 'redis', 'cookie', 'memory'] as const).map((store) => Type.Literal(store)),
    { default: 'postgres', description: 'postgres, redis, cookie or memory' },
  ),
  REDIS_URL: Type.Optional(Type.String({ pattern: '^rediss?://[^/]', description: 'a redis:// or rediss:// URL' })),
  REDIS_SECRET_ARN: Type.Optional(
    Type.String({ pattern: '^arn:[^:]+:secretsmanager:', description: 'the ARN of a secret in AWS Secrets Manager' }),
  ),
  REDIS_MIN_REPLICAS: Type.Integer({
    minimum: 0,
    maximum: 5,
    default: 0,
    description: 'an integer from 0 to 5 (replicas that must have a session)',
  }),
  DATABASE_REPLICA_URLS: Type.Optional(
    Type.String({
      pattern: '^postgres(ql)?://[^,\\s]+(,postgres(ql)?://[^,\\s]+)*$',
      description: 'postgres:// URLs with commas between them',
    }),
  ),
  DATABASE_REPLICA_HOSTS: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9.-]+(,[A-Za-z0-9.-]+)*$',
      description: 'host names with commas between them',
    }),
  ),
  DATABASE_PROXY_HOST: Type.Optional(
    Type.String({ pattern: '^[A-Za-z0-9.-]+$', description: 'the host name of a connection pooler' }),
  ),
  DATABASE_PROXY_URL: Type.Optional(Type.String({ pattern: '^postgres(ql)?://', description: 'a postgres:// URL' })),
  SESSION_SECRET: Type.Optional(Type.String({ minLength: 32, description: 'at least 32 characters long' })),
  SESSION_SECRET_ARN: Type.Optional(
    Type.String({ pattern: '^arn:[^:]+:secretsmanager:', description: 'the ARN of a secret in AWS Secrets Manager' }),
  ),
  WEB_CONCURRENCY: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 512, description: 'an integer from 1 to 512 (processes)' }),
  ),
  MAX_SERVERS: Type.Integer({
    minimum: 1,
    maximum: 10_000,
    default: 1,
    description: 'an integer from 1 to 10000 (servers)',
  }),
  TRUST_PROXY: Type.Integer({
    minimum: 0,
    maximum: 10,
    default: 0,
    description: 'an integer from 0 to 10 (proxies in front)',
  }),
  VIEWER_PROTOCOL: Type.Union([Type.Literal('forwarded'), Type.Literal('https')], {
    default: 'forwarded',
    description: '"forwarded" (as the proxies in front say) or "https"',
  }),
  ASSETS_URL: Type.String({
    pattern: '^(https?://[^/\\s]+|/[^/\\s]+)(/[^/\\s]+)*$',
    default: '/assets',
    description: 'an http(s) URL or a path, without a slash at its end',
  }),
  QUEUE_URL: Type.Optional(
    Type.String({ pattern: '^https?://[^/\\s]+/\\S+$', description: 'the http(s) URL of an SQS queue' }),
  ),
  METRICS_NAMESPACE: Type.Optional(
    Type.String({
      pattern: '^(?!AWS/)[A-Za-z0-9._/#:-]{1,255}$',
      description: 'up to 255 of A-Z a-z 0-9 . - _ / # :, and may not begin with AWS/',
    }),
  ),
  METRICS_PERIOD: Type.Integer({
    minimum: 1,
    maximum: 3600,
    default: 60,
    description: 'an integer from 1 to 3600 (seconds)',
  }),
  // These two are the AWS SDK's own.
  AWS_EC2_METADATA_SERVICE_ENDPOINT: Type.String({
    pattern: '^https?://[^/\\s]+$',
    default: 'http://169.254.169.254',
    description: 'an http(s) URL without a path',
  }),
  AWS_EC2_METADATA_DISABLED: Type.Boolean({ default: false, description: 'true or false' }),
  SERVER_NAME: Type.Optional(Type.String({ maxLength: 100, description: 'at most 100 characters long' })),
  LOAD_SHEDDING: Type.Boolean({ default: true, description: 'true or false' }),
  CATALOGUE_CACHE: Type.Boolean({ default: true, description: 'true or false' }),
  AVAILABILITY_ZONE: Type.String({ maxLength: 100, default: 'local', description: 'at most 100 characters long' }),
  LOG_LEVEL: Type.Union(
    (['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const).map((level) => Type.Literal(level)),
    { default: 'info', description: 'fatal, error, warn, info, debug, trace or silent' },
  ),
});

const MoveEnvironment = Type.Object({
  MOVE_FROM_URL: Type.Optional(Type.String({ pattern: '^postgres(ql)?://', description: 'a postgres:// URL' })),
  DATABASE_URL: Environment.properties.DATABASE_URL,
  DATABASE_SECRET_ARN: Environment.properties.DATABASE_SECRET_ARN,
});

type Name = keyof typeof Environment.properties | keyof typeof MoveEnvironment.properties;

/** Their values never appear in a message. A database URL holds a password. */
const SECRETS: ReadonlySet<string> = new Set<Name>([
  'DATABASE_URL',
  'MOVE_FROM_URL',
  'DATABASE_REPLICA_URLS',
  'DATABASE_PROXY_URL',
  'REDIS_URL',
  'SESSION_SECRET',
]);

/**
 * Turns the environment into the configuration. Pure: the only caller that hands in `process.env` is `environment()`.
 * An empty value counts as unset, as systemd's environment files cannot unset one.
 *
 * @throws ConfigError that names every bad value, not only the first
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const { given, values, lines } = check(Environment, env);
  lines.push(...exactlyOne(given, 'DATABASE_URL', 'DATABASE_SECRET_ARN'));
  lines.push(...exactlyOne(given, 'SESSION_SECRET', 'SESSION_SECRET_ARN'));
  if (given.SESSION_STORE === 'redis' && !given.REDIS_URL) {
    lines.push('SESSION_STORE="redis": needs REDIS_URL to be set');
  }
  lines.push(...goesWith(given, 'REDIS_SECRET_ARN', 'REDIS_URL'));
  lines.push(...goesWith(given, 'DATABASE_REPLICA_URLS', 'DATABASE_URL'));
  lines.push(...goesWith(given, 'DATABASE_REPLICA_HOSTS', 'DATABASE_SECRET_ARN'));
  lines.push(...goesWith(given, 'DATABASE_PROXY_HOST', 'DATABASE_SECRET_ARN'));
  lines.push(...goesWith(given, 'DATABASE_PROXY_URL', 'DATABASE_URL'));
  if (lines.length > 0) throw new ConfigError(lines);

  const read = values as Static<typeof Environment>;
  return {
    port: read.PORT,
    host: read.HOST,
    phase: read.PHASE,
    database: secret(read.DATABASE_URL, read.DATABASE_SECRET_ARN),
    replicas: read.DATABASE_REPLICA_HOSTS
      ? { hosts: read.DATABASE_REPLICA_HOSTS.split(',') }
      : { urls: read.DATABASE_REPLICA_URLS?.split(',') ?? [] },
    sessionStore: read.SESSION_STORE,
    redis:
      read.REDIS_URL === undefined
        ? undefined
        : { url: read.REDIS_URL, secretArn: read.REDIS_SECRET_ARN, minReplicas: read.REDIS_MIN_REPLICAS },
    sessionSecret: secret(read.SESSION_SECRET, read.SESSION_SECRET_ARN),
    webConcurrency: read.WEB_CONCURRENCY ?? availableParallelism(),
    maxServers: read.MAX_SERVERS,
    trustProxy: read.TRUST_PROXY,
    viewerProtocol: read.VIEWER_PROTOCOL,
    ...(read.DATABASE_PROXY_HOST && { databaseProxy: { host: read.DATABASE_PROXY_HOST } }),
    ...(read.DATABASE_PROXY_URL && { databaseProxy: { url: read.DATABASE_PROXY_URL } }),
    assetsUrl: read.ASSETS_URL,
    ...(read.QUEUE_URL && { queueUrl: read.QUEUE_URL }),
    ...(read.METRICS_NAMESPACE && { metricsNamespace: read.METRICS_NAMESPACE }),
    metricsPeriod: read.METRICS_PERIOD,
    ...(read.PHASE >= FIRST_SPOT_PHASE &&
      !read.AWS_EC2_METADATA_DISABLED && { instanceMetadata: read.AWS_EC2_METADATA_SERVICE_ENDPOINT }),
    loadShedding: read.LOAD_SHEDDING,
    catalogueCache: read.CATALOGUE_CACHE,
    serverName: read.SERVER_NAME ?? hostname(),
    availabilityZone: read.AVAILABILITY_ZONE,
    logLevel: read.LOG_LEVEL,
  };
}

/** A variable's schema. */
type Property = TSchema & { readonly type?: string; readonly default?: unknown; readonly description?: string };

/** The value that the text stands for, by the type that is wanted; text that stands for none stays what it is. */
function fromText(text: string, schema: Property): unknown {
  if (schema.type === 'integer' && /^-?\d+$/.test(text)) return Number(text);
  if (schema.type === 'boolean' && /^(true|false)$/.test(text)) return text === 'true';
  return text;
}

/** @throws ConfigError as {@link readConfig} */
export function readMoveConfig(env: Readonly<Record<string, string | undefined>>): MoveConfig {
  const { given, values, lines } = check(MoveEnvironment, env);
  lines.push(...exactlyOne(given, 'DATABASE_URL', 'DATABASE_SECRET_ARN'));
  if (lines.length > 0) throw new ConfigError(lines);
  const { MOVE_FROM_URL: from, DATABASE_URL, DATABASE_SECRET_ARN } = values as Static<typeof MoveEnvironment>;
  return { to: secret(DATABASE_URL, DATABASE_SECRET_ARN), ...(from && { from }) };
}

/** This process's configuration. */
export function environment(): Config {
  return readConfig(process.env);
}

/** The configuration of a process that moves data. */
export function moveEnvironment(): MoveConfig {
  return readMoveConfig(process.env);
}

/** What is given of a schema's variables, the values with defaults filled in, and a line for each bad one. */
function check(schema: TObject, env: Readonly<Record<string, string | undefined>>) {
  const given = Object.fromEntries(
    Object.keys(schema.properties)
      .map((name) => [name, env[name]])
      .filter(([, value]) => value !== undefined && value !== ''),
  );
  const values: Record<string, unknown> = {};
  const lines: string[] = [];
  for (const [name, property] of Object.entries<Property>(schema.properties)) {
    const text = given[name];
    const value = text === undefined ? property.default : fromText(text, property);
    // Not by Ajv: it would write and compile a program for this one check, which took a sixth of a start.
    if (text !== undefined && !Value.Check(property, value)) lines.push(refusal(name as Name, text, schema));
    else values[name] = value;
  }
  return { given, values: values as unknown, lines };
}

function refusal(name: Name, value: string, schema: TObject): string {
  const shown = SECRETS.has(name) ? name : `${name}=${JSON.stringify(value)}`;
  return `${shown}: must be ${(schema.properties[name] as Property).description}`;
}

function exactlyOne(given: Readonly<Record<string, string | undefined>>, value: Name, arn: Name): string[] {
  if (given[value] && given[arn]) return [`${value}, ${arn}: set only one of them`];
  if (!given[value] && !given[arn]) return [`${value}: must be set, or ${arn} in its place`];
  return [];
}

function goesWith(given: Readonly<Record<string, string | undefined>>, name: Name, other: Name): string[] {
  return given[name] && !given[other] ? [`${name}: can only be set together with ${other}`] : [];
}

function secret(value: string | undefined, arn: string | undefined): Secret {
  return value === undefined ? { arn: arn as string } : { value };
}
