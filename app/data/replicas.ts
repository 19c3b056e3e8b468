import type { Logger } from 'pino';
import { Unavailable } from '../errors';
import type { Database, Queryable } from './db';

/** Milliseconds between two looks at the replicas. */
const PROBE = 500;

/** Milliseconds that a replica may lie behind the primary; one that lies further back is left out until it has caught up. */
export const MAX_LAG = 5_000;

/**
 * Seconds for which a visitor's last write is remembered. After that, every replica that is still read from has it: those
 * that lie further back than {@link MAX_LAG} are left out, and are seen to be at the next look.
 */
export const WRITE_MEMORY = 30;

/**
 * How much of the primary's log a reader has to see: up to a position, nothing in particular (`undefined`), or all there is,
 * because it could not be found out where their write went.
 */
export type MinLsn = bigint | 'everything' | undefined;

/** A replica as this process sees it. */
interface Replica {
  readonly database: Database;
  /** A connection of its own: a busy pool must not make a replica look dead. */
  readonly probe: Database;
  readonly name: string;
  /** Replayed at the last look, and so at least that far now; undefined while it is left out. */
  replayed: bigint | undefined;
}

/** Where the primary was at a time of this process's clock, in ms. */
interface Sample {
  readonly at: number;
  readonly position: bigint;
}

/**
 * Spreads reads over the replicas in turn. Whoever wrote reads from those that have replayed their write, else from the
 * primary. A replica that is dead or far behind is left out, and a read that one of them fails is asked again of the primary.
 *
 * How far each replica has come is looked up twice a second and not with each read: it only ever goes on, so what was
 * replayed then is a safe thing to know now.
 */
export class Replicas {
  /** Reads that the primary answered since no replica could: each was behind the reader's own write, left out, or failed. */
  readonly counters = { fallbacks: 0 };
  readonly #replicas: readonly Replica[];
  #samples: readonly Sample[] = [];
  #next = 0;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #stopped = true;

  constructor(
    private readonly primary: Database,
    replicas: readonly Pick<Replica, 'database' | 'probe' | 'name'>[],
    private readonly log: Logger,
  ) {
    this.#replicas = replicas.map((replica) => ({ ...replica, replayed: undefined }));
  }

  /** Whether there are any; without them nobody need remember their writes. */
  get any(): boolean {
    return this.#replicas.length > 0;
  }

  /** Statements that went to replicas since the process started. */
  get statements(): number {
    return this.#replicas.reduce((sum, { database }) => sum + database.counters.statements, 0);
  }

  /** Looks at the replicas from now on; until the first look is done, reads go to the primary. */
  start(connections: number): void {
    if (!this.any) return;
    this.#stopped = false;
    // Less the one that looks.
    for (const { database } of this.#replicas) database.resize(Math.max(1, connections - 1));
    this.#look();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#looking;
    await Promise.all(this.#replicas.flatMap(({ database, probe }) => [database.close(), probe.close()]));
  }

  /** Where to read from for somebody who must see that much. Only for reads: a read may be asked twice. */
  seeing(seen: MinLsn): Queryable {
    return {
      query: async (sql, values) => {
        const replica = this.#choose(seen);
        if (replica) {
          try {
            return await replica.database.query(sql, values);
          } catch (error) {
            if (error instanceof Unavailable && !isCrowded(error)) this.#leaveOut(replica, error);
          }
        }
        if (this.any && seen !== 'everything') this.counters.fallbacks += 1;
        return this.primary.query(sql, values);
      },
    };
  }

  /** How far the primary's log has come: whoever sees that much sees every write that is acknowledged by now. */
  async position(): Promise<MinLsn> {
    return this.primary.walPosition().catch(() => 'everything' as const);
  }

  #choose(seen: MinLsn): Replica | undefined {
    if (seen === 'everything') return undefined;
    const fit = this.#replicas.filter(({ replayed }) => replayed !== undefined && replayed >= (seen ?? 0n));
    this.#next += 1;
    return fit[this.#next % fit.length];
  }

  #look(): void {
    this.#looking = this.#probeAll().finally(() => {
      if (!this.#stopped) this.#timer = setTimeout(() => this.#look(), PROBE * (0.75 + Math.random() / 2));
    });
  }

  async #probeAll(): Promise<void> {
    const at = Date.now();
    const position = await this.primary.walPosition().catch(() => undefined);
    // Without a primary there is nothing new to lie behind of.
    if (position !== undefined) this.#samples = [...this.#samples, { at, position }].filter(isRecent(at));
    const wanted = this.#samples.findLast((sample) => sample.at <= at - MAX_LAG)?.position ?? 0n;
    await Promise.all(this.#replicas.map((replica) => this.#probe(replica, wanted)));
  }

  async #probe(replica: Replica, wanted: bigint): Promise<void> {
    try {
      const replayed = await replica.probe.walPosition();
      if (replayed < wanted) this.#leaveOut(replica, new Error(`it is more than ${MAX_LAG / 1000} s behind`));
      else {
        if (replica.replayed === undefined) this.log.info({ replica: replica.name }, 'a replica is read from');
        replica.replayed = replayed;
      }
    } catch (error) {
      this.#leaveOut(replica, error);
    }
  }

  #leaveOut(replica: Replica, error: unknown): void {
    if (replica.replayed === undefined) return;
    replica.replayed = undefined;
    this.log.warn({ err: error, replica: replica.name }, 'a replica is left out');
  }
}

/** Two of those that are older than the longest lag are enough to tell it by. */
function isRecent(now: number): (sample: Sample) => boolean {
  return ({ at }) => at > now - MAX_LAG - 4 * PROBE;
}

/** It lives, but all connections to it are in use. */
function isCrowded(error: Unavailable): boolean {
  return error.cause instanceof Error && error.cause.message.startsWith('timeout exceeded when trying to connect');
}
