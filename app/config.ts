import { availableParallelism, hostname } from 'node:os';
import { type Static, type TObject, type TSchema, Type } from 'typebox';
import { Value } from 'typebox/value';
import { APP_PORT } from '../lib/constants';

/** A secret: its value, or its ARN in AWS Secrets Manager. */
export type Secret = { readonly value: string } | { readonly arn: string };

/** Configuration from the environment, created by {@link readConfig}. */
export interface Config {
  /** TCP port; 0 selects a free port. */
  readonly port: number;
  readonly host: string;
  readonly phase: number;
  /** PostgreSQL URL, or the ARN of the secret that RDS manages. */
  readonly database: Secret;
  readonly sessionStore: 'postgres' | 'redis' | 'cookie' | 'memory';
  /** Redis or Valkey; required by the session store `redis`. */
  readonly redis?: RedisConfig | undefined;
  /** Read replicas: PostgreSQL URLs, or hosts that share the credentials of the secret. */
  readonly replicas: { readonly urls: readonly string[] } | { readonly hosts: readonly string[] };
  readonly sessionSecret: Secret;
  /** Processes of this server. Default: one per vCPU. */
  readonly webConcurrency: number;
  /** Connection pooler such as RDS Proxy: a PostgreSQL URL, or a host that shares the credentials of the secret. */
  readonly databaseProxy?: { readonly url: string } | { readonly host: string };
  /** Maximum servers that share the database; determines the pool size. */
  readonly maxServers: number;
  /** Exact number of proxies: the client's address is this many entries from the right of `X-Forwarded-For`. */
  readonly trustProxy: number;
  /** Protocol of the visitors: `https` if they can use no other, `forwarded` to read it from `X-Forwarded-Proto`. */
  readonly viewerProtocol: 'forwarded' | 'https';
  /** URL prefix of static files. */
  readonly assetsUrl: string;
  /** SQS queue for background jobs. Without a queue, each server runs them. */
  readonly queueUrl?: string;
  /** CloudWatch namespace for metrics. Without a namespace, no metrics are published. */
  readonly metricsNamespace?: string;
  /** Interval of publishing metrics, in seconds. */
  readonly metricsPeriod: number;
  /** URL of the EC2 instance metadata service, polled for spot interruption notices; absent if there cannot be any. */
  readonly instanceMetadata?: string;
  /** Sheds load when saturated. Disable it to observe an overload without protection. */
  readonly loadShedding: boolean;
  /** Caches the catalog. Without the cache, each catalog request queries the database. */
  readonly catalogueCache: boolean;
  readonly serverName: string;
  readonly availabilityZone: string;
  readonly logLevel: string;
}

export interface RedisConfig {
  readonly url: string;
  /** ARN of a secret `{"username":…,"password":…}`, for a URL without credentials. */
  readonly secretArn?: string | undefined;
  /** Replicas that must confirm a session before it counts as saved. */
  readonly minReplicas: number;
}

/** Configuration of `move.js`, created by {@link readMoveConfig}. */
export interface MoveConfig {
  /** PostgreSQL URL of the source, with a superuser. */
  readonly from?: string;
  /** The target, with the user of the app. */
  readonly to: Secret;
}

/** The environment is invalid; one line per error. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly lines: readonly string[]) {
    super(lines.join('\n'));
  }
}

/** First phase with Spot Instances. */
const FIRST_SPOT_PHASE = 4;

/** `description` completes the error message "NAME must be …". */
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
    description: 'an integer from 0 to 5 (replicas that confirm a session)',
  }),
  DATABASE_REPLICA_URLS: Type.Optional(
    Type.String({
      pattern: '^postgres(ql)?://[^,\\s]+(,postgres(ql)?://[^,\\s]+)*$',
      description: 'comma-separated postgres:// URLs',
    }),
  ),
  DATABASE_REPLICA_HOSTS: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9.-]+(,[A-Za-z0-9.-]+)*$',
      description: 'comma-separated host names',
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
    description: 'forwarded (from X-Forwarded-Proto) or https',
  }),
  ASSETS_URL: Type.String({
    pattern: '^(https?://[^/\\s]+|/[^/\\s]+)(/[^/\\s]+)*$',
    default: '/assets',
    description: 'an http(s) URL or a path, without a trailing slash',
  }),
  QUEUE_URL: Type.Optional(
    Type.String({ pattern: '^https?://[^/\\s]+/\\S+$', description: 'the http(s) URL of an SQS queue' }),
  ),
  METRICS_NAMESPACE: Type.Optional(
    Type.String({
      pattern: '^(?!AWS/)[A-Za-z0-9._/#:-]{1,255}$',
      description: '1 to 255 characters of A-Z a-z 0-9 . - _ / # :, not starting with AWS/',
    }),
  ),
  METRICS_PERIOD: Type.Integer({
    minimum: 1,
    maximum: 3600,
    default: 60,
    description: 'an integer from 1 to 3600 (seconds)',
  }),
  // The next two are variables of the AWS SDK.
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

/** Variables whose values never appear in a message. Database URLs contain passwords. */
const SECRETS: ReadonlySet<string> = new Set<Name>([
  'DATABASE_URL',
  'MOVE_FROM_URL',
  'DATABASE_REPLICA_URLS',
  'DATABASE_PROXY_URL',
  'REDIS_URL',
  'SESSION_SECRET',
]);

/**
 * Converts environment variables to the configuration. Pure: only {@link environment} passes `process.env`. An empty value
 * counts as unset, because systemd's environment files cannot unset a variable.
 *
 * @throws ConfigError with all errors, not only the first
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const { given, values, lines } = check(Environment, env);
  lines.push(...exactlyOne(given, 'DATABASE_URL', 'DATABASE_SECRET_ARN'));
  lines.push(...exactlyOne(given, 'SESSION_SECRET', 'SESSION_SECRET_ARN'));
  if (given.SESSION_STORE === 'redis' && !given.REDIS_URL) {
    lines.push('REDIS_URL must be set when SESSION_STORE is redis.');
  }
  lines.push(...requires(given, 'REDIS_SECRET_ARN', 'REDIS_URL'));
  lines.push(...requires(given, 'DATABASE_REPLICA_URLS', 'DATABASE_URL'));
  lines.push(...requires(given, 'DATABASE_REPLICA_HOSTS', 'DATABASE_SECRET_ARN'));
  lines.push(...requires(given, 'DATABASE_PROXY_HOST', 'DATABASE_SECRET_ARN'));
  lines.push(...requires(given, 'DATABASE_PROXY_URL', 'DATABASE_URL'));
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

/** The schema of a variable. */
type Property = TSchema & { readonly type?: string; readonly default?: unknown; readonly description?: string };

/** Converts text to the type of the schema; returns text that cannot be converted unchanged. */
function parse(text: string, schema: Property): unknown {
  if (schema.type === 'integer' && /^-?\d+$/.test(text)) return Number(text);
  if (schema.type === 'boolean' && /^(true|false)$/.test(text)) return text === 'true';
  return text;
}

/** @throws ConfigError like {@link readConfig} */
export function readMoveConfig(env: Readonly<Record<string, string | undefined>>): MoveConfig {
  const { given, values, lines } = check(MoveEnvironment, env);
  lines.push(...exactlyOne(given, 'DATABASE_URL', 'DATABASE_SECRET_ARN'));
  if (lines.length > 0) throw new ConfigError(lines);
  const { MOVE_FROM_URL: from, DATABASE_URL, DATABASE_SECRET_ARN } = values as Static<typeof MoveEnvironment>;
  return { to: secret(DATABASE_URL, DATABASE_SECRET_ARN), ...(from && { from }) };
}

/** Reads the configuration of this process. */
export function environment(): Config {
  return readConfig(process.env);
}

/** Reads the configuration of `move.js`. */
export function moveEnvironment(): MoveConfig {
  return readMoveConfig(process.env);
}

/** Returns the given variables of the schema, the values with defaults, and one line per invalid value. */
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
    const value = text === undefined ? property.default : parse(text, property);
    // Not with Ajv: compiling a validator for this single check took a sixth of the startup time.
    if (text !== undefined && !Value.Check(property, value)) lines.push(refusal(name as Name, text, schema));
    else values[name] = value;
  }
  return { given, values: values as unknown, lines };
}

function refusal(name: Name, value: string, schema: TObject): string {
  const got = SECRETS.has(name) ? '' : `, got ${JSON.stringify(value)}`;
  return `${name} must be ${(schema.properties[name] as Property).description}${got}.`;
}

function exactlyOne(given: Readonly<Record<string, string | undefined>>, value: Name, arn: Name): string[] {
  if (given[value] && given[arn]) return [`Set ${value} or ${arn}, not both.`];
  if (!given[value] && !given[arn]) return [`${value} or ${arn} must be set.`];
  return [];
}

function requires(given: Readonly<Record<string, string | undefined>>, name: Name, other: Name): string[] {
  return given[name] && !given[other] ? [`${other} must be set when ${name} is set.`] : [];
}

function secret(value: string | undefined, arn: string | undefined): Secret {
  return value === undefined ? { arn: arn as string } : { value };
}
