import { join } from 'node:path';
import { type Endpoint, openEndpoint } from '../../tools/rehearsal/programs/endpoint';
import { type RedisServer, startRedis } from '../../tools/rehearsal/programs/redis';
import type { ShopServer, TestBed } from './shop';

/** A Redis primary with two replicas behind one endpoint, like ElastiCache, and two shop servers that use the endpoint. */
export interface RedisGroup {
  /** The primary first. */
  readonly nodes: readonly [RedisServer, RedisServer, RedisServer];
  readonly endpoint: Endpoint;
  readonly servers: readonly [ShopServer, ShopServer];
  readonly database: string;
  close(): Promise<void>;
}

export async function openRedisGroup(testBed: TestBed): Promise<RedisGroup> {
  const dir = (node: number) => join(testBed.dir, `node-${node}-${Math.random()}`);
  const primary = await startRedis({ dir: dir(0) });
  const replica = (node: number) => startRedis({ dir: dir(node), primaryPort: primary.port });
  const nodes = [primary, ...(await Promise.all([replica(1), replica(2)]))] as const;
  const endpoint = await openEndpoint(primary.port);
  const database = await testBed.database();
  const env = {
    SESSION_STORE: 'redis',
    REDIS_URL: `redis://127.0.0.1:${endpoint.port}`,
    REDIS_MIN_REPLICAS: '1',
    // Its refresh lock is a SET in Redis as well; the tests count those of sessions.
    CATALOGUE_CACHE: 'false',
    LOG_LEVEL: 'warn',
  };
  const servers = await Promise.all([testBed.serve(database, env), testBed.serve(database, env)]);
  return {
    nodes,
    endpoint,
    servers,
    database,
    close: async () => {
      for (const server of servers) server.kill('SIGKILL');
      endpoint.close();
      await Promise.all(nodes.map((node) => node.kill()));
    },
  };
}
