import { join } from 'node:path';
import type { CpuQuota } from '../programs/cpu-quota';
import { type SqsQueue, startSqsQueue } from '../programs/sqs-queue';
import { type Parts, together } from '../programs/parts';
import { DatabaseTier } from './database-tier';
import { RedisTier } from './redis-tier';
import type { TopologyPlan } from './topology-plan';

/** What a phase keeps its data in. */
export interface DataTiers {
  readonly database: DatabaseTier;
  /** From phase 3. */
  readonly redis?: RedisTier | undefined;
  /** From phase 4. */
  readonly queue?: SqsQueue | undefined;
}

/**
 * Starts the data tiers of a phase, or adds to those of the phase before it what it lacks. The database of phase 1 is on its
 * box and is none of a later phase.
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

/** Names of those that are away. */
export function down({ database, redis }: DataTiers): string[] {
  return [
    ...(database.primary.up ? [] : ['primary']),
    ...database.replicas.flatMap(({ up }, index) => (up ? [] : [`replica ${index + 1}`])),
    ...(redis === undefined || redis.up ? [] : ['redis']),
  ];
}

const none = Promise.resolve(undefined);
