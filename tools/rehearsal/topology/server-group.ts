import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SPOT_NOTICE } from '../../../lib/constants';
import type { AppBundle } from '../../support/app-bundle';
import type { CpuQuota, CpuQuotas } from '../programs/cpu-quota';
import type { Haproxy, Target } from '../programs/haproxy';
import { type InstanceMetadata, startInstanceMetadata } from '../programs/instance-metadata';
import { firstLine, type Part, together } from '../programs/parts';
import { cpuSeconds, processTree } from '../programs/process-tree';
import { type ShopProcess, startShop } from '../programs/shop-process';
import { type ServerSnapshot, type ServerState, ZONES } from './snapshot';

export interface ServerGroupOptions {
  /** Prefix of server names, followed by a number. */
  readonly name: 'server' | 'worker';
  /**
   * Returns the number of the next server.
   *
   * @default - counts from 1
   */
  readonly number?: () => number;
  readonly bundle: AppBundle;
  /** Folder for logs. Must exist. */
  readonly dir: string;
  /** Environment variables that all servers share. */
  readonly env: Readonly<Record<string, string>>;
  /** Whether servers are spot instances, which poll for an interruption notice. */
  readonly spot: boolean;
  /** Absent for a single server and for workers. */
  readonly balancer?: Haproxy | undefined;
  /** vCPUs per server; unlimited when absent. */
  readonly vcpu?: number | undefined;
  /** Creates the CPU quota of a server; absent when the system supports none. */
  readonly quota?: CpuQuotas['create'] | undefined;
  /** Seconds until the group detects a dead server. */
  readonly detectionSeconds: number;
  /** Seconds from launch until the app starts. */
  readonly boot: number;
  readonly onEvent: (what: string) => void;
}

/** Emulates an Auto Scaling group: keeps the desired number of servers, balanced across zones. */
export class ServerGroup implements Part {
  #desired = 0;
  #vcpu: number | undefined;
  #bundle: AppBundle;
  #launched = 0;
  /** Servers above the desired capacity during a deployment. */
  #surge = 0;
  readonly #stopping = new AbortController();
  readonly #servers: Server[] = [];
  readonly #terminated: ServerSnapshot[] = [];
  /** Launches and terminations in progress. */
  readonly #transitions = new Set<Promise<void>>();

  constructor(private readonly options: ServerGroupOptions) {
    this.#vcpu = options.vcpu;
    this.#bundle = options.bundle;
  }

  get desired(): number {
    return this.#desired;
  }

  get vcpu(): number | undefined {
    return this.#vcpu;
  }

  /** The version that new servers run. */
  get bundle(): AppBundle {
    return this.#bundle;
  }

  /** In service from the group's view; the balancer may consider one unhealthy. */
  get inService(): readonly Server[] {
    return this.#servers.filter(({ state }) => state === 'in-service');
  }

  get draining(): number {
    return this.#servers.filter(({ state }) => state === 'draining').length;
  }

  /** Starts the first servers without boot time. */
  async begin(servers: number): Promise<void> {
    this.#desired = servers;
    await together(Array.from({ length: servers }, () => this.#launch('begin')));
  }

  /** Sets the desired capacity. Resolves when launches and terminations are complete. */
  async scale(servers: number): Promise<void> {
    this.#desired = servers;
    await together(this.#balance());
  }

  /** Sends SIGKILL. The group detects the loss after `detectionSeconds`. */
  kill(servers: readonly Server[]): void {
    for (const { shop, exited } of servers) if (shop && !exited) process.kill(shop.pid, 'SIGKILL');
  }

  /** Drains, terminates and replaces the servers. */
  terminate(servers: readonly Server[]): void {
    for (const server of servers) this.#track(this.#drain(server));
    this.#balance();
  }

  /** Sends a spot interruption notice. Capacity Rebalancing launches replacements at once. */
  sendSpotNotice(servers: readonly Server[]): void {
    for (const server of servers) {
      server.metadata?.sendSpotNotice(new Date(Date.now() + SPOT_NOTICE * 1000));
      server.state = 'draining';
      const end = setTimeout(() => this.kill([server]), SPOT_NOTICE * 1000).unref();
      void server.shop?.exited.then(() => clearTimeout(end));
    }
    this.#balance();
  }

  /** Replaces servers one by one. With a balancer, a new server is in service before an old one drains. */
  async deploy(bundle: AppBundle): Promise<void> {
    this.#bundle = bundle;
    if (this.options.balancer === undefined) return this.#restart();
    for (const server of this.inService) {
      this.#surge = 1;
      await together(this.#balance());
      this.#surge = 0;
      this.#track(this.#drain(server));
    }
  }

  /** Restarts each server with `vcpu` vCPUs. */
  async resize(vcpu: number): Promise<void> {
    this.#vcpu = vcpu;
    await this.#restart();
  }

  /** Resolves when no launch or termination is in progress. */
  async settled(): Promise<void> {
    while (this.#transitions.size > 0) await Promise.all(this.#transitions);
  }

  async snapshot(): Promise<ServerSnapshot[]> {
    const targets = await this.options.balancer?.targets().catch(() => undefined);
    return [...this.#terminated, ...this.#servers.map((server) => server.snapshot(targets))];
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#desired = 0;
    // Without traffic there is nothing to drain. Servers may still be starting, hence the loop.
    while (this.#servers.length > 0 || this.#transitions.size > 0) {
      this.kill(this.#servers);
      await sleep(20);
    }
  }

  /** Launches missing servers, and terminates the oldest ones of the fullest zone. */
  #balance(): Promise<void>[] {
    if (this.#stopping.signal.aborted) return [];
    const moves: Promise<void>[] = [];
    const excess = () => this.#present.length - this.#desired - this.#surge;
    while (excess() < 0) moves.push(this.#track(this.#launch('boot')));
    while (excess() > 0) {
      const crowded = this.#zones().at(-1);
      const oldest = this.#present.find(({ zone }) => zone === crowded) as Server;
      moves.push(this.#track(this.#drain(oldest)));
    }
    return moves;
  }

  get #present(): readonly Server[] {
    return this.#servers.filter(({ state }) => state !== 'draining');
  }

  /** Zones by number of servers, ascending. */
  #zones(): string[] {
    const crowd = (zone: string) => this.#present.filter((server) => server.zone === zone).length;
    return [...ZONES].sort((one, other) => crowd(one) - crowd(other));
  }

  #track(move: Promise<void>): Promise<void> {
    const tracked = move
      .catch((error: Error) => this.options.onEvent(firstLine(error)))
      .finally(() => this.#transitions.delete(tracked));
    this.#transitions.add(tracked);
    return tracked;
  }

  /** Terminates all servers; the group launches replacements. */
  async #restart(): Promise<void> {
    await together(this.inService.map((server) => this.#drain(server)));
    await this.settled();
  }

  async #launch(how: 'begin' | 'boot'): Promise<void> {
    const { balancer, boot, name, dir, env, quota, onEvent } = this.options;
    this.#launched += 1;
    const server = new Server(
      `${name}-${this.options.number?.() ?? this.#launched}`,
      this.#zones()[0] as string,
      this.#bundle,
    );
    this.#servers.push(server);
    try {
      if (how === 'boot') await this.#wait(boot);
      if (this.options.spot) server.metadata = await startInstanceMetadata();
      const shop = await startShop({
        bundle: server.bundle,
        entry: name,
        log: join(dir, `${server.name}.log`),
        orphaned: 'kill',
        env: {
          ...env,
          SERVER_NAME: server.name,
          AVAILABILITY_ZONE: server.zone,
          WEB_CONCURRENCY: String(Math.ceil(this.#vcpu ?? 1)),
          ...(server.metadata && { AWS_EC2_METADATA_SERVICE_ENDPOINT: server.metadata.url }),
        },
      });
      server.shop = shop;
      void shop.exited.then(() => this.#track(this.#onExit(server)));
      if (server.state !== 'starting') return await shop.stop();
      if (this.#vcpu !== undefined) {
        // Not earlier: a boot at 0.1 vCPU would take a minute.
        server.quota = quota?.(server.name, this.#vcpu);
        server.quota?.confine(processTree(shop.pid));
      }
      await balancer?.register(shop.port, how === 'begin');
      while (balancer && server.state === 'starting' && !(await balancer.targets()).get(shop.port)?.healthy) {
        await sleep(50);
      }
      if (server.state !== 'starting') return;
      server.state = 'in-service';
      if (how === 'boot') onEvent(`${server.name} in service in zone ${server.zone}`);
    } catch (error) {
      this.#remove(server);
      await server.shop?.stop();
      await server.quota?.stop();
      throw error;
    }
  }

  async #wait(seconds: number): Promise<void> {
    await sleep(seconds * 1000, undefined, { signal: this.#stopping.signal }).catch(() => {});
  }

  async #drain(server: Server): Promise<void> {
    if (server.state === 'draining') return server.terminated;
    server.state = 'draining';
    this.options.onEvent(`${server.name} draining`);
    // The balancer may have exited already.
    if (server.shop) await this.options.balancer?.deregister(server.shop.port).catch(() => {});
    await server.shop?.stop();
    await server.terminated;
  }

  /** Handles the exit of a server's process, expected or not. */
  async #onExit(server: Server): Promise<void> {
    const { balancer, detectionSeconds, onEvent } = this.options;
    server.exited = true;
    // The launch failed before the server was in service.
    if (server.state === 'terminated') return;
    const expected = server.state === 'draining' || this.#stopping.signal.aborted;
    if (!expected) {
      server.state = 'out-of-service';
      onEvent(`${server.name} in zone ${server.zone} died`);
      await this.#wait(detectionSeconds);
    }
    if (server.shop && !this.#stopping.signal.aborted) {
      server.snapshot(await balancer?.targets().catch(() => undefined));
      await balancer?.deregister(server.shop.port).catch(() => {});
    }
    await server.quota?.stop();
    this.#remove(server);
    if (expected) onEvent(`${server.name} terminated`);
    this.#balance();
  }

  #remove(server: Server): void {
    server.metadata?.close();
    const index = this.#servers.indexOf(server);
    if (index < 0) return;
    this.#servers.splice(index, 1);
    server.state = 'terminated';
    if (server.shop) this.#terminated.push(server.snapshot(undefined));
    server.markTerminated();
  }
}

/** A server of the group. */
export class Server {
  state: ServerState = 'starting';
  exited = false;
  shop?: ShopProcess;
  quota?: CpuQuota | undefined;
  metadata?: InstanceMetadata;
  readonly terminated: Promise<void>;
  markTerminated: () => void = () => {};
  #target: Target | undefined;
  #cpuSeconds = 0;

  constructor(
    readonly name: string,
    readonly zone: string,
    readonly bundle: AppBundle,
  ) {
    this.terminated = new Promise((resolve) => {
      this.markTerminated = resolve;
    });
  }

  /** @param targets from the balancer; when undefined, the last known ones apply */
  snapshot(targets: ReadonlyMap<number, Target> | undefined): ServerSnapshot {
    const pid = this.shop?.pid ?? 0;
    this.#target = targets?.get(this.shop?.port ?? 0) ?? this.#target;
    const used = pid === 0 ? 0 : cpuSeconds(pid);
    this.#cpuSeconds = Math.max(this.#cpuSeconds, used);
    const unhealthy = this.state === 'in-service' && targets !== undefined && !this.#target?.healthy;
    return {
      name: this.name,
      zone: this.zone,
      version: this.bundle.hash,
      state: unhealthy ? 'out-of-service' : this.state,
      pid,
      port: this.shop?.port ?? 0,
      counted: this.#target !== undefined,
      requests: this.#target?.requests ?? 0,
      failures: this.#target?.failures ?? 0,
      inFlight: this.state === 'terminated' ? 0 : (this.#target?.inFlight ?? 0),
      cpuSeconds: this.#cpuSeconds,
    };
  }
}
