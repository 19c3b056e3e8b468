import { join } from 'node:path';
import { type Endpoint, openEndpoint } from '../../tools/rehearsal/programs/endpoint';
import { type RedisServer, startRedis } from '../../tools/rehearsal/programs/redis';
import type { Bench, ShopServer } from './shop';

/** A primary with two replicas, under a name that two servers of the shop use, as ElastiCache has it. */
export interface RedisGroup {
  /** The primary first. */
  readonly nodes: readonly [RedisServer, RedisServer, RedisServer];
  readonly name: Endpoint;
  readonly servers: readonly [ShopServer, ShopServer];
  readonly database: string;
  close(): Promise<void>;
}

export async function openRedisGroup(bench: Bench): Promise<RedisGroup> {
  const dir = (node: number) => join(bench.dir, `node-${node}-${Math.random()}`);
  const primary = await startRedis({ dir: dir(0) });
  const replica = (node: number) => startRedis({ dir: dir(node), primaryPort: primary.port });
  const nodes = [primary, ...(await Promise.all([replica(1), replica(2)]))] as const;
  const name = await openEndpoint(primary.port);
  const database = await bench.database();
  const env = {
    SESSION_STORE: 'redis',
    REDIS_URL: `redis://127.0.0.1:${name.port}`,
    REDIS_MIN_REPLICAS: '1',
    LOG_LEVEL: 'warn',
  };
  const servers = await Promise.all([bench.serve(database, env), bench.serve(database, env)]);
  return {
    nodes,
    name,
    servers,
    database,
    close: async () => {
      for (const server of servers) server.kill('SIGKILL');
      name.close();
      await Promise.all(nodes.map((node) => node.kill()));
    },
  };
}
