import { join } from 'node:path';
import type { CpuQuota } from '../programs/cpu-quota';
import { type Parts, together } from '../programs/parts';
import { type SqsQueue, startSqsQueue } from '../programs/sqs-queue';
import { DatabaseTier } from './database-tier';
import { RedisTier } from './redis-tier';
import type { TopologyPlan } from './topology-plan';

/** Data stores of a phase. */
export interface DataTiers {
  readonly database: DatabaseTier;
  /** From phase 3. */
  readonly redis?: RedisTier | undefined;
  /** From phase 4. */
  readonly queue?: SqsQueue | undefined;
}

/**
 * Starts the data tiers of a phase, or adds the missing ones to those of the previous phase. The database of phase 1 runs on the
 * instance, so later phases never reuse it.
 */
export async function startDataTiers(
  { phase, replicas = 2, persisted }: Pick<TopologyPlan, 'phase' | 'replicas' | 'persisted'>,
  { dir, box, before }: { dir: string; box?: CpuQuota | undefined; before?: DataTiers | undefined },
  parts: Parts,
): Promise<DataTiers> {
  const startDatabase = async () => {
    const place =
      phase === 1
        ? { dir: join(dir, 'box'), box: { quota: box } }
        : { dir: join(dir, 'database'), persistedDir: persisted?.database };
    const database = before?.database ?? (await DatabaseTier.start(place, parts));
    if (phase >= 3 && database.replicas.length === 0) await database.addReplicas(replicas);
    if (phase === 4) await database.addPooler();
    return database;
  };
  const [database, redis, queue] = await together([
    startDatabase(),
    before?.redis ? Promise.resolve(before.redis) : phase >= 3 ? RedisTier.start(dir, parts) : none,
    phase === 4 ? startSqsQueue(parts) : none,
  ]);
  return { database, redis, queue };
}

/** Names of the stores that are down. */
export function down({ database, redis }: DataTiers): string[] {
  return [
    ...(database.primary.up ? [] : ['primary']),
    ...database.replicas.flatMap(({ up }, index) => (up ? [] : [`replica ${index + 1}`])),
    ...(redis === undefined || redis.up ? [] : ['redis']),
  ];
}

const none = Promise.resolve(undefined);
