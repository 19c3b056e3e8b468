import { join } from 'node:path';
import { Counters } from '../programs/counters';
import { type Endpoint, openEndpoint } from '../programs/endpoint';
import type { Part, Parts } from '../programs/parts';
import { type RedisServer, startRedis } from '../programs/redis';

/** A primary and a replica in ElastiCache's place, behind the name of the primary. */
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

  /** False from a kill until the replica has taken over. */
  get up(): boolean {
    return this.#up;
  }

  /** The primary's machine goes away. */
  async kill(): Promise<void> {
    this.#up = false;
    await this.primary.kill();
  }

  /** What follows a kill: the replica becomes the primary, and gets a replica of its own. */
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

  /** Primary and replica change places. Connections stay open, and new ones still lead to the old primary. */
  async swapRoles(): Promise<void> {
    await this.replica.promote();
    await this.primary.follow(this.replica.port);
    [this.primary, this.replica] = [this.replica, this.primary];
  }

  /** New connections lead to the primary again. */
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
