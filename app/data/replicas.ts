import type { Logger } from 'pino';
import { Unavailable } from '../errors';
import type { Database, Queryable } from './db';

/** Milliseconds between two health checks of the replicas. */
const PROBE_INTERVAL = 500;

/** Maximum replica lag in milliseconds. A replica with more lag gets no reads until it has caught up. */
export const MAX_LAG = 5_000;

/**
 * Seconds for which a visitor's last write is remembered. After that, every replica in rotation has replayed it: a health
 * check removes replicas whose lag exceeds {@link MAX_LAG}.
 */
export const WRITE_MEMORY = 30;

/**
 * Minimum position in the primary's write-ahead log that a read must see. `undefined`: any position. `everything`: the read
 * must use the primary, because the position of the visitor's write is unknown.
 */
export type MinLsn = bigint | 'everything' | undefined;

/** A replica and its state in this process. */
interface Replica {
  readonly database: Database;
  /** A separate connection, so that an exhausted pool does not fail the health check. */
  readonly probe: Database;
  readonly name: string;
  /** WAL position replayed at the last health check; undefined while the replica is out of rotation. */
  replayed: bigint | undefined;
}

/** WAL position of the primary at a time of this process's clock, in milliseconds. */
interface Sample {
  readonly at: number;
  readonly position: bigint;
}

/**
 * Distributes reads over the replicas by round robin. A visitor who wrote reads from replicas that have replayed the write,
 * otherwise from the primary. A replica that is down or lags is out of rotation, and a failed read is retried on the primary.
 *
 * The replayed position is checked twice a second instead of with each read. It is monotonic, so an older value is safe.
 */
export class Replicas {
  /** `fallbacks`: reads sent to the primary because each replica was behind the write, out of rotation, or failed. */
  readonly counters = { fallbacks: 0 };
  readonly #replicas: readonly Replica[];
  #samples: readonly Sample[] = [];
  #next = 0;
  #timer: NodeJS.Timeout | undefined;
  #checking: Promise<void> = Promise.resolve();
  #stopped = true;

  constructor(
    private readonly primary: Database,
    replicas: readonly Pick<Replica, 'database' | 'probe' | 'name'>[],
    private readonly log: Logger,
  ) {
    this.#replicas = replicas.map((replica) => ({ ...replica, replayed: undefined }));
  }

  /** Whether there are replicas. Without replicas, the positions of writes need not be remembered. */
  get any(): boolean {
    return this.#replicas.length > 0;
  }

  /** Statements sent to replicas since the process started. */
  get statements(): number {
    return this.#replicas.reduce((sum, { database }) => sum + database.counters.statements, 0);
  }

  /** Starts the health checks. Until the first one completes, reads go to the primary. */
  start(connections: number): void {
    if (!this.any) return;
    this.#stopped = false;
    // One connection is the probe's.
    for (const { database } of this.#replicas) database.resize(Math.max(1, connections - 1));
    this.#check();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#checking;
    await Promise.all(this.#replicas.flatMap(({ database, probe }) => [database.close(), probe.close()]));
  }

  /** Routes reads that must see at least `minLsn`. Only for reads, because a failed statement is retried. */
  seeing(minLsn: MinLsn): Queryable {
    return {
      query: async (sql, values) => {
        const replica = this.#choose(minLsn);
        if (replica) {
          try {
            return await replica.database.query(sql, values);
          } catch (error) {
            if (error instanceof Unavailable && !isPoolExhausted(error)) this.#remove(replica, error);
          }
        }
        if (this.any && minLsn !== 'everything') this.counters.fallbacks += 1;
        return this.primary.query(sql, values);
      },
    };
  }

  /** Returns the primary's WAL position. A read at this position sees every write confirmed so far. */
  async position(): Promise<MinLsn> {
    return this.primary.walPosition().catch(() => 'everything' as const);
  }

  #choose(minLsn: MinLsn): Replica | undefined {
    if (minLsn === 'everything') return undefined;
    const fit = this.#replicas.filter(({ replayed }) => replayed !== undefined && replayed >= (minLsn ?? 0n));
    this.#next += 1;
    return fit[this.#next % fit.length];
  }

  #check(): void {
    this.#checking = this.#probeAll().finally(() => {
      if (!this.#stopped) this.#timer = setTimeout(() => this.#check(), PROBE_INTERVAL * (0.75 + Math.random() / 2));
    });
  }

  async #probeAll(): Promise<void> {
    const at = Date.now();
    const position = await this.primary.walPosition().catch(() => undefined);
    // While the primary is down there are no new writes, so lag does not grow.
    if (position !== undefined) this.#samples = [...this.#samples, { at, position }].filter(isRecent(at));
    const required = this.#samples.findLast((sample) => sample.at <= at - MAX_LAG)?.position ?? 0n;
    await Promise.all(this.#replicas.map((replica) => this.#probe(replica, required)));
  }

  async #probe(replica: Replica, required: bigint): Promise<void> {
    try {
      const replayed = await replica.probe.walPosition();
      if (replayed < required) this.#remove(replica, new Error(`replica lag exceeds ${MAX_LAG / 1000} s`));
      else {
        if (replica.replayed === undefined) this.log.info({ replica: replica.name }, 'replica added to the rotation');
        replica.replayed = replayed;
      }
    } catch (error) {
      this.#remove(replica, error);
    }
  }

  #remove(replica: Replica, error: unknown): void {
    if (replica.replayed === undefined) return;
    replica.replayed = undefined;
    this.log.warn({ err: error, replica: replica.name }, 'replica removed from the rotation');
  }
}

/** Keeps samples slightly longer than the maximum lag: the check needs one sample that is older than it. */
function isRecent(now: number): (sample: Sample) => boolean {
  return ({ at }) => at > now - MAX_LAG - 4 * PROBE_INTERVAL;
}

/** Whether all connections of the pool are in use, although the replica is up. */
function isPoolExhausted(error: Unavailable): boolean {
  return error.cause instanceof Error && error.cause.message.startsWith('timeout exceeded when trying to connect');
}
