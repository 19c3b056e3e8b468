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
  /** Folder for the bundle of a new version. */
  readonly dir: string;
  readonly servers: ServerGroup;
  /** Absent before phase 4. */
  readonly workers?: ServerGroup | undefined;
  readonly database: DatabaseTier;
  /** Absent in phases 1 and 2. */
  readonly redis?: RedisTier | undefined;
  readonly onEvent: (what: string) => void;
}

/** A fault that leaves the phase unchanged. */
export type InPhaseFault = Exclude<Fault, { readonly kind: 'next-phase' }>;

/** Seconds until a failed instance is restarted. In the cloud, EC2's automatic recovery takes minutes. */
export const RECOVERY = 20;

/** Seconds until data stores of a failed zone are available in another zone. */
const ZONE_FAILOVER = 10;

/** Injects faults, and recovers afterwards as the managed service would. */
export class Faults implements Part {
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #running = new Set<Promise<void>>();

  constructor(private readonly options: FaultsOptions) {}

  /**
   * Injects the fault. Resolves to a description of the effect.
   *
   * @throws UsageError when the phase lacks the fault's target
   */
  async begin(fault: InPhaseFault): Promise<string> {
    const done = await this.#do(fault);
    this.options.onEvent(done);
    return done;
  }

  /** Cancels pending recoveries. */
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
        return `spot interruption notice (${SPOT_NOTICE} s) to ${names(chosen)}`;
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
        this.#later(fault.seconds, 'replicas resumed WAL replay', () => database.replay(true));
        return database.replay(false).then(() => `replicas paused WAL replay for ${fault.seconds} s`);
      case 'kill-redis':
        return this.#killRedis(fault.seconds);
      case 'demote-redis':
        return this.#demoteRedis(fault.seconds);
      case 'slow-network':
        return this.#slowDown(fault.to, fault.delayMs, fault.seconds);
      case 'deploy':
        this.#run('new version deployed to all servers', servers.deploy(nextVersion(servers.bundle, dir)));
        return 'rolling deployment of a new version started';
      case 'resize':
        return this.#resize(fault.vcpu);
    }
  }

  async #kill(chosen: readonly Server[]): Promise<string> {
    const { servers, database, phase } = this.options;
    servers.kill(chosen);
    if (phase > 1) return `killed ${names(chosen)}`;
    await database.primary.crash();
    this.#later(RECOVERY, 'database on the instance is up', () => database.primary.resume());
    return 'killed the instance and its database';
  }

  #killWorkers(count: number): string {
    this.#from(4, 'kill-workers', 'workers');
    const workers = this.options.workers as ServerGroup;
    const { inService } = workers;
    if (count > inService.length) throw new UsageError(`${count} workers: only ${inService.length} in service.`);
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
    return `zone ${zone} failed: ${done.join('; ')}`;
  }

  async #failOver(seconds: number): Promise<string> {
    const { primary } = this.options.database;
    await primary.crash();
    this.#later(seconds, 'primary database is up', () => primary.resume());
    return `primary database crashed, restarts in ${seconds} s`;
  }

  async #killReplica(index: number, seconds: number): Promise<string> {
    const replica = this.options.database.replicas[index];
    if (replica === undefined) return `no replica ${index + 1}`;
    await replica.crash();
    this.#later(seconds, `replica ${index + 1} is up`, () => replica.resume());
    return `replica ${index + 1} crashed, restarts in ${seconds} s`;
  }

  async #killRedis(seconds: number): Promise<string> {
    const redis = this.#redis('kill-redis');
    await redis.kill();
    this.#later(seconds, 'Redis replica promoted to primary', () => redis.promote());
    return `Redis primary crashed, failover in ${seconds} s`;
  }

  async #demoteRedis(seconds: number): Promise<string> {
    const redis = this.#redis('demote-redis');
    await redis.swapRoles();
    this.#later(seconds, 'Redis endpoint points to the new primary', async () => redis.pointToPrimary());
    return `Redis failed over without closing connections; the endpoint points to a replica for ${seconds} s`;
  }

  #slowDown(to: Dependency, delayMs: number, seconds: number): string {
    const { database, redis, phase } = this.options;
    const endpoints = {
      database: [database.primary.endpoint],
      replicas: database.replicas.map(({ endpoint }) => endpoint),
      redis: [redis?.endpoint],
    }[to].filter((endpoint) => endpoint !== undefined);
    if (endpoints.length === 0)
      throw new UsageError(`slow-network: phase ${phase} has no network connection to ${to}.`);
    for (const endpoint of endpoints) endpoint.delay(delayMs);
    this.#later(seconds, `added latency to ${to} removed`, async () => {
      for (const endpoint of endpoints) endpoint.delay(0);
    });
    return `added ${delayMs} ms of latency to ${to} each way for ${seconds} s`;
  }

  #resize(vcpu: number): string {
    const { servers, database, phase } = this.options;
    if (phase > 2) throw new UsageError(`resize: available in phases 1 and 2 only, got phase ${phase}.`);
    const resized = Promise.all([servers.resize(vcpu), ...(phase === 1 ? [database.primary.restart()] : [])]);
    this.#run(`instance restarted with ${vcpu} vCPU`, resized);
    return `instance restarting with ${vcpu} vCPU`;
  }

  /** Selects servers in service. They alternate between zones, as the group launches them. */
  #choose({ count, server: name }: { readonly count: number; readonly server?: string }): readonly Server[] {
    const { inService } = this.options.servers;
    if (count > inService.length) {
      throw new UsageError(`${count} servers: only ${inService.length} in service.`);
    }
    const named = inService.find((server) => server.name === name);
    if (name !== undefined && named === undefined) throw new UsageError(`${name}: not in service.`);
    const rest = inService.filter((server) => server !== named);
    return named ? [named, ...rest].slice(0, count) : rest.slice(0, count);
  }

  #redis(kind: InPhaseFault['kind']): RedisTier {
    this.#from(3, kind, 'Redis');
    return this.options.redis as RedisTier;
  }

  #from(first: number, kind: InPhaseFault['kind'], what: string): void {
    const { phase } = this.options;
    if (phase < first) throw new UsageError(`${kind}: phase ${phase} has no ${what}; available from phase ${first}.`);
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
        (error: Error) => onEvent(`failed before "${done}": ${firstLine(error)}`),
      )
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }
}

function names(servers: readonly Server[]): string {
  return servers.map(({ name, zone }) => `${name} (${zone})`).join(', ') || 'no server';
}
