import { join } from 'node:path';
import { Counters } from '../programs/counters';
import { type Endpoint, openEndpoint } from '../programs/endpoint';
import type { Part, Parts } from '../programs/parts';
import { type RedisServer, startRedis } from '../programs/redis';

/** A Redis primary with a replica, as a stand-in for ElastiCache. The endpoint points to the primary. */
export class RedisTier implements Part {
  readonly #lookups = new Counters(['hits', 'misses'], () => this.#count());
  readonly #all: RedisServer[] = [];
  #stopped = false;
  #up = true;

  private constructor(
    private readonly dir: string,
    private primary: RedisServer,
    private replica: RedisServer,
    readonly endpoint: Endpoint,
  ) {
    this.#all.push(primary, replica);
  }

  static async start(dir: string, parts: Parts): Promise<RedisTier> {
    const primary = await parts.add(startRedis({ dir: join(dir, 'redis-1') }));
    const replica = await parts.add(startRedis({ dir: join(dir, 'redis-2'), primaryPort: primary.port }));
    const tier = new RedisTier(dir, primary, replica, await openEndpoint(primary.port));
    return parts.add(tier);
  }

  get url(): string {
    return `redis://127.0.0.1:${this.endpoint.port}`;
  }

  /** False from a kill until the failover. */
  get up(): boolean {
    return this.#up;
  }

  /** Kills the primary. */
  async kill(): Promise<void> {
    this.#up = false;
    await this.primary.kill();
  }

  /** Promotes the replica after a kill, and starts a new replica. */
  async promote(): Promise<void> {
    await this.replica.promote();
    this.endpoint.pointTo(this.replica.port);
    this.#up = true;
    this.primary = this.replica;
    const dir = join(this.dir, `redis-${this.#all.length + 1}`);
    this.replica = await startRedis({ dir, primaryPort: this.primary.port });
    this.#all.push(this.replica);
    if (this.#stopped) await this.replica.stop();
  }

  /** Swaps primary and replica. Open and new connections still reach the old primary. */
  async swapRoles(): Promise<void> {
    await this.replica.promote();
    await this.primary.follow(this.replica.port);
    [this.primary, this.replica] = [this.replica, this.primary];
  }

  /** Points new connections to the current primary. */
  pointToPrimary(): void {
    this.endpoint.pointTo(this.primary.port);
  }

  lookups(): Promise<{ readonly hits: number; readonly misses: number }> {
    return this.#lookups.value();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.endpoint.close();
    await Promise.all(this.#all.map((server) => server.stop()));
  }

  async #count(): Promise<{ hits: number; misses: number }> {
    const stats = await this.primary.command('INFO', 'stats');
    const of = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(stats)?.[1]);
    return { hits: of('keyspace_hits'), misses: of('keyspace_misses') };
  }
}
