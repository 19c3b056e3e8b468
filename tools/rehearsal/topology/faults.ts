import { SPOT_NOTICE } from '../../../lib/constants';
import { UsageError } from '../../support/usage-error';
import { nextVersion } from '../programs/next-version';
import { firstLine, type Part } from '../programs/parts';
import type { DatabaseTier } from './database-tier';
import type { Dependency, Fault } from './fault';
import type { RedisTier } from './redis-tier';
import type { Server, ServerGroup } from './server-group';
import { ZONES } from './snapshot';

export interface FaultsOptions {
  readonly phase: 1 | 2 | 3 | 4;
  /** Where a new version is put. */
  readonly dir: string;
  readonly servers: ServerGroup;
  /** Absent before phase 4. */
  readonly workers?: ServerGroup | undefined;
  readonly database: DatabaseTier;
  /** Absent in phases 1 and 2. */
  readonly redis?: RedisTier | undefined;
  readonly onEvent: (what: string) => void;
}

/** What can happen within a phase. */
export type InPhaseFault = Exclude<Fault, { readonly kind: 'next-phase' }>;

/** Seconds after which somebody starts a lost box again. In the cloud, EC2's automatic recovery takes minutes. */
export const RECOVERY = 20;

/** Seconds after which what fell with its zone is back elsewhere. */
const ZONE_FAILOVER = 10;

/** Makes things go wrong, and puts right afterwards what the cloud would. */
export class Faults implements Part {
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #running = new Set<Promise<void>>();

  constructor(private readonly options: FaultsOptions) {}

  /**
   * Begins it, and resolves to what was done.
   *
   * @throws UsageError when this phase has nothing that it could happen to
   */
  async begin(fault: InPhaseFault): Promise<string> {
    const done = await this.#do(fault);
    this.options.onEvent(done);
    return done;
  }

  /** What is still to be put right is left as it is. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    await Promise.allSettled(this.#running);
  }

  #do(fault: InPhaseFault): Promise<string> | string {
    const { servers, database, dir } = this.options;
    switch (fault.kind) {
      case 'kill-servers':
        return this.#kill(this.#choose(fault));
      case 'kill-workers':
        return this.#killWorkers(fault.count);
      case 'stop-servers': {
        const chosen = this.#choose(fault);
        servers.terminate(chosen);
        return `terminated ${names(chosen)}`;
      }
      case 'spot-notice': {
        this.#from(4, fault.kind, 'spot instances');
        const chosen = this.#choose(fault);
        servers.sendSpotNotice(chosen);
        return `spot notice of ${SPOT_NOTICE} s to ${names(chosen)}`;
      }
      case 'kill-zone':
        return this.#killZone(fault.zone);
      case 'kill-database':
        return this.#failOver(fault.seconds);
      case 'kill-replica':
        this.#from(3, fault.kind, 'replicas');
        return this.#killReplica(0, fault.seconds);
      case 'lag':
        this.#from(3, fault.kind, 'replicas');
        this.#later(fault.seconds, 'the replicas replay again', () => database.replay(true));
        return database.replay(false).then(() => `the replicas stopped replaying, for ${fault.seconds} s`);
      case 'kill-redis':
        return this.#killRedis(fault.seconds);
      case 'demote-redis':
        return this.#demoteRedis(fault.seconds);
      case 'slow-network':
        return this.#slowDown(fault.to, fault.delayMs, fault.seconds);
      case 'deploy':
        this.#run('the new version serves everywhere', servers.deploy(nextVersion(servers.bundle, dir)));
        return 'a new version is being rolled out';
      case 'resize':
        return this.#resize(fault.vcpu);
    }
  }

  async #kill(chosen: readonly Server[]): Promise<string> {
    const { servers, database, phase } = this.options;
    servers.kill(chosen);
    if (phase > 1) return `killed ${names(chosen)}`;
    await database.primary.crash();
    this.#later(RECOVERY, 'the database of the box is back', () => database.primary.resume());
    return 'killed the box, with its database';
  }

  #killWorkers(count: number): string {
    this.#from(4, 'kill-workers', 'workers');
    const workers = this.options.workers as ServerGroup;
    const { inService } = workers;
    if (count > inService.length) throw new UsageError(`${count} workers: there are ${inService.length} in service`);
    const chosen = inService.slice(0, count);
    workers.kill(chosen);
    return `killed ${names(chosen)}`;
  }

  async #killZone(zone: string): Promise<string> {
    const { servers, phase } = this.options;
    const fallen = servers.inService.filter((server) => server.zone === zone);
    const done = [await this.#kill(fallen)];
    if (zone === ZONES[0] && phase > 1) done.push(await this.#failOver(ZONE_FAILOVER));
    if (zone === ZONES[0] && phase > 2) done.push(await this.#killRedis(ZONE_FAILOVER));
    const replica = (ZONES as readonly string[]).indexOf(zone) - 1;
    if (replica >= 0 && replica < this.options.database.replicas.length) {
      done.push(await this.#killReplica(replica, ZONE_FAILOVER));
    }
    return `zone ${zone} is lost: ${done.join('; ')}`;
  }

  async #failOver(seconds: number): Promise<string> {
    const { primary } = this.options.database;
    await primary.crash();
    this.#later(seconds, 'the primary database is back', () => primary.resume());
    return `the primary database is dead, and comes back in ${seconds} s`;
  }

  async #killReplica(index: number, seconds: number): Promise<string> {
    const replica = this.options.database.replicas[index];
    if (replica === undefined) return `there is no replica ${index + 1}`;
    await replica.crash();
    this.#later(seconds, `replica ${index + 1} is back`, () => replica.resume());
    return `replica ${index + 1} is dead, and comes back in ${seconds} s`;
  }

  async #killRedis(seconds: number): Promise<string> {
    const redis = this.#redis('kill-redis');
    await redis.kill();
    this.#later(seconds, 'the replica of Redis took over', () => redis.promote());
    return `Redis is dead, and its replica takes over in ${seconds} s`;
  }

  async #demoteRedis(seconds: number): Promise<string> {
    const redis = this.#redis('demote-redis');
    await redis.swapRoles();
    this.#later(seconds, 'the name of Redis leads to its new primary', async () => redis.pointToPrimary());
    return `Redis failed over with connections open, which lead to a replica now; so do new ones for ${seconds} s`;
  }

  #slowDown(to: Dependency, delayMs: number, seconds: number): string {
    const { database, redis, phase } = this.options;
    const endpoints = {
      database: [database.primary.endpoint],
      replicas: database.replicas.map(({ endpoint }) => endpoint),
      redis: [redis?.endpoint],
    }[to].filter((endpoint) => endpoint !== undefined);
    if (endpoints.length === 0) throw new UsageError(`slow-network: phase ${phase} reaches no ${to} by a network`);
    for (const endpoint of endpoints) endpoint.delay(delayMs);
    this.#later(seconds, `the network to ${to} is as fast as before`, async () => {
      for (const endpoint of endpoints) endpoint.delay(0);
    });
    return `the network to ${to} is ${delayMs} ms slower each way, for ${seconds} s`;
  }

  #resize(vcpu: number): string {
    const { servers, database, phase } = this.options;
    if (phase > 2) throw new UsageError(`resize: phase ${phase} has no box; phases 1 and 2 have one`);
    const resized = Promise.all([servers.resize(vcpu), ...(phase === 1 ? [database.primary.restart()] : [])]);
    this.#run(`the box has ${vcpu} vCPU`, resized);
    return `the box stops, to start again with ${vcpu} vCPU`;
  }

  /** In service, from as many zones as there are. */
  #choose({ count, server: name }: { readonly count: number; readonly server?: string }): readonly Server[] {
    const { inService } = this.options.servers;
    if (count > inService.length) {
      throw new UsageError(`${count} servers: there are ${inService.length} in service`);
    }
    const named = inService.find((server) => server.name === name);
    if (name !== undefined && named === undefined) throw new UsageError(`${name}: not in service`);
    const rest = inService.filter((server) => server !== named);
    return named ? [named, ...rest].slice(0, count) : rest.slice(0, count);
  }

  #redis(kind: InPhaseFault['kind']): RedisTier {
    this.#from(3, kind, 'Redis');
    return this.options.redis as RedisTier;
  }

  #from(first: number, kind: InPhaseFault['kind'], what: string): void {
    const { phase } = this.options;
    if (phase < first) throw new UsageError(`${kind}: phase ${phase} has no ${what}; phase ${first} has`);
  }

  #later(seconds: number, done: string, action: () => Promise<void>): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#run(done, action());
    }, seconds * 1000);
    this.#timers.add(timer);
  }

  #run(done: string, action: Promise<unknown>): void {
    const { onEvent } = this.options;
    const running: Promise<void> = action
      .then(
        () => onEvent(done),
        (error: Error) => onEvent(`${done}: no, ${firstLine(error)}`),
      )
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }
}

function names(servers: readonly Server[]): string {
  return servers.map(({ name, zone }) => `${name} (${zone})`).join(', ') || 'no server';
}
