import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import {
  RateLimiterPostgres,
  RateLimiterRedis,
  RateLimiterRes,
  type RateLimiterStoreAbstract,
} from 'rate-limiter-flexible';
import { Database } from '../data/db';
import type { Redis } from '../data/redis';
import { ShopError } from '../errors';

/** Window in seconds in which failures are counted, from the first. */
const WINDOW = 15 * 60;
const FAILURES_PER_ACCOUNT = 10;
/** A household or an office shares one address. */
const FAILURES_PER_ADDRESS = 100;

/**
 * Limits failed logins by account and by IP address. The counters are in the session store: limits in each process would
 * multiply by the number of servers, and a login depends on that store anyway.
 */
export class LoginLimit {
  readonly #byAccount: RateLimiterStoreAbstract;
  readonly #byAddress: RateLimiterStoreAbstract;

  constructor(store: Database | Redis) {
    const byAccount = { keyPrefix: 'account', points: FAILURES_PER_ACCOUNT, duration: WINDOW };
    const byAddress = { keyPrefix: 'address', points: FAILURES_PER_ADDRESS, duration: WINDOW };
    if (store instanceof Database) {
      const table = { storeClient: { query: store.execute }, storeType: 'pool', tableName: 'login_attempts' };
      // The table is created by a migration.
      const options = { ...table, tableCreated: true };
      this.#byAccount = new RateLimiterPostgres({ ...options, ...byAccount });
      // Both share one table, so only one of them has to delete expired rows.
      this.#byAddress = new RateLimiterPostgres({ ...options, ...byAddress, clearExpiredByTimeout: false });
    } else {
      const client = { storeClient: store.counters, useRedisPackage: true };
      this.#byAccount = new RateLimiterRedis({ ...client, ...byAccount, keyPrefix: 'log-in:account' });
      this.#byAddress = new RateLimiterRedis({ ...client, ...byAddress, keyPrefix: 'log-in:address' });
    }
  }

  /**
   * Runs `attempt` unless there were too many failures. An attempt is counted for its account before it runs, so that
   * parallel attempts cannot exceed the limit. A successful login resets the account.
   *
   * @param attempt resolves to undefined if the login failed
   * @throws ShopError 429 with the seconds until the next attempt is allowed as `Retry-After`
   */
  async guard<T>(email: string, address: string, attempt: () => Promise<T | undefined>): Promise<T | undefined> {
    const account = createHash('sha256').update(email).digest('base64url');
    const network = networkOf(address);
    const failures = await this.#byAddress.get(network);
    if (failures !== null && failures.consumedPoints >= FAILURES_PER_ADDRESS) throw tooMany(failures);
    await this.#byAccount.consume(account).catch((reason) => {
      throw reason instanceof RateLimiterRes ? tooMany(reason) : reason;
    });
    const result = await attempt();
    if (result === undefined) await this.#byAddress.penalty(network);
    else await this.#byAccount.delete(account);
    return result;
  }
}

function tooMany(state: RateLimiterRes): ShopError {
  const seconds = Math.max(1, Math.ceil(state.msBeforeNext / 1000));
  return new ShopError(429, 'too_many_attempts', 'Too many failed logins. Please try again later.', seconds);
}

/** Returns the key to count by: an IPv4 address, or an IPv6 /64, because a customer usually controls a whole /64. */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (!isIPv6(plain)) return plain;
  const [head = [], tail = []] = plain.split('::').map((part) => part.split(':').filter(Boolean));
  const zeros = Array<string>(Math.max(0, 8 - head.length - tail.length)).fill('0');
  return [...head, ...zeros, ...tail].slice(0, 4).join(':');
}
