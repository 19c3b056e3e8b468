import { UsageError } from '../../support/usage-error';
import type { Dependency } from '../topology/fault';
import { ZONES } from '../topology/snapshot';
import type { RehearsedPhase } from '../topology/topology-plan';
import { type Load, peakRate, totalRequests } from '../traffic/profiles';
import { type Action, defaultServers, LIMITS, phasesOf, type Scenario, type Step } from './scenario';
import { readScenarioFile, type ScenarioFile } from './scenario-file';

/** What the command line says of a rehearsal. */
export interface RehearseFlags extends Partial<Omit<ScenarioFile, 'factor' | 'steps'>> {
  /** A file with settings and steps; flags come before it. */
  readonly scenario?: string;
  /** How many times the usual rate the top of a spike is. */
  readonly spike?: number;
  /** As `spike`, at servers so small that it is too much for them. */
  readonly overload?: number;
  readonly kill?: number;
  readonly stop?: number;
  readonly spot?: number;
  readonly killWorker?: number;
  /** Zones. */
  readonly killAz?: number;
  readonly killDb?: true;
  readonly killReplica?: true;
  readonly killRedis?: true;
  readonly demoteRedis?: true;
  /** Seconds. */
  readonly lag?: number;
  readonly slow?: { readonly to: Dependency; readonly delayMs: number };
  readonly deploy?: true;
  /** vCPUs. */
  readonly resize?: number;
  /** Servers. */
  readonly scale?: number;
  /** Things happen by hand, too. */
  readonly board?: true;
}

/** Seconds that visitors come by default: a lost box takes its time, as do policies, deploys and servers that leave. */
const SECONDS = { 1: 60, 2: 60, 3: 30, 4: 90 } as const;

/** Seconds of a day of sales: policies take a fleet in again after a quarter of an hour, {@link TIME_SCALE} times as fast. */
const DAY_SECONDS = 240;

/** Seconds for which there is something to do on a board. */
const BOARD_SECONDS = 600;

/** vCPUs of a server that is to be overloaded, by default: the wall must be its own, and not the machine's. */
const OVERLOADED_VCPU = 0.1;

/** Requests that a server of {@link OVERLOADED_VCPU} works on at once: a quarter of a second of them. */
const MAX_IN_FLIGHT = 16;

/** How often visitors of an overloaded shop load again what did not come, by default: few people give up at once. */
const RELOADS_OF_OVERLOAD = 2;

/** Seconds that a part is away by default. */
const ABSENCE = 5;

/** How fast time passes for the policies of phase 4 by default. */
export const TIME_SCALE = 30;

/** An action, and what asked for it, for the line that refuses it. */
interface Asked {
  readonly action: Action;
  readonly by: string;
}

/**
 * The scenario of a command line: its flags, then the file's settings, then defaults. What the flags ask for is spread over
 * the first two thirds of the time, in the order of their list.
 *
 * @throws UsageError for what the phase does not have, and beyond the limits
 */
export function scenarioOf(
  phase: RehearsedPhase,
  { scenario: file, ...flags }: RehearseFlags,
  until: RehearsedPhase = phase,
): Scenario {
  const { steps: ofFile, ...settings }: ScenarioFile = file === undefined ? { steps: [] } : readScenarioFile(file);
  const given = { ...settings, ...flags };
  const top = given.spike ?? given.overload;
  const load: Load = {
    profile: given.profile ?? (top === undefined ? 'steady' : 'spike'),
    rps: given.rps ?? 100,
    seconds: given.seconds ?? defaultSeconds(phase, until, given),
    factor: top ?? settings.factor ?? 10,
  };
  const servers = given.servers ?? defaultServers(phase);
  const sessions = given.sessions;
  const timeScale = phase === 4 ? (given.timeScale ?? TIME_SCALE) : undefined;
  checkLoad(load);
  checkShape(phase, given);
  for (const [index, { at, action }] of ofFile.entries()) {
    const by = `steps[${index}]: ${action.kind}`;
    checkAction({ action, by }, phase, { servers, replicas: given.replicas });
    if (at >= load.seconds) {
      throw new UsageError(`${by}: at must be less than the traffic's ${load.seconds} s, got ${at}`);
    }
  }
  const asked = actionsOf(flags, servers);
  for (let next = phase + 1; next <= until; next++) {
    asked.push({ by: `${phase}..${until}`, action: { kind: 'next-phase' } });
  }
  for (const one of asked) checkAction(one, phase, { servers, replicas: given.replicas });
  const steps = [...ofFile, ...spread(asked, load.seconds)].sort((a, b) => a.at - b.at);
  // The command line says `true` where nothing was said.
  const shedding = flags.shedding === false ? false : settings.shedding;
  return {
    phase,
    ...(steps.some(isUpgrade) && { until: (phase + steps.filter(isUpgrade).length) as RehearsedPhase }),
    servers,
    vcpu: given.vcpu ?? (given.overload === undefined ? undefined : OVERLOADED_VCPU),
    sessions,
    // With sessions in servers' memory, a visitor who is sent to another server has none.
    balance: given.balance ?? (sessions === 'memory' ? 'sticky' : undefined),
    layer: given.layer,
    replicas: given.replicas,
    shedding,
    cache: flags.cache === false ? false : settings.cache,
    reloads: given.reloads ?? (given.overload === undefined ? undefined : RELOADS_OF_OVERLOAD),
    ...(given.overload !== undefined && { overload: true }),
    ...(given.overload !== undefined && shedding !== false && phase >= 3 && { maxInFlight: MAX_IN_FLIGHT }),
    timeScale,
    load,
    ...(given.rps === undefined && { rpsIsDefault: true }),
    steps,
  };
}

function defaultSeconds(
  phase: RehearsedPhase,
  until: RehearsedPhase,
  { board, deploy, scale, overload, profile }: RehearseFlags,
): number {
  if (board) return BOARD_SECONDS;
  if (profile === 'black-friday') return DAY_SECONDS;
  return Math.max(SECONDS[phase], until > phase || deploy ? 90 : 0, scale || overload ? 60 : 0);
}

function actionsOf(flags: RehearseFlags, servers: number): Asked[] {
  const asked: Asked[] = [];
  const add = (by: string, action: Action) => asked.push({ by, action });
  const { kill, stop, spot, killWorker, killAz, lag, slow, resize, scale } = flags;
  if (kill) add(`--kill ${kill}`, { kind: 'kill-servers', count: kill });
  if (stop) add(`--stop ${stop}`, { kind: 'stop-servers', count: stop });
  if (spot) add(`--spot ${spot}`, { kind: 'spot-notice', count: spot });
  if (killWorker) add(`--kill-worker ${killWorker}`, { kind: 'kill-workers', count: killWorker });
  for (const zone of ZONES.slice(0, killAz ?? 0)) add(`--kill-az ${killAz}`, { kind: 'kill-zone', zone });
  if (flags.killDb) add('--kill-db', { kind: 'kill-database', seconds: ABSENCE });
  if (flags.killReplica) add('--kill-replica', { kind: 'kill-replica', seconds: ABSENCE });
  if (flags.killRedis) add('--kill-redis', { kind: 'kill-redis', seconds: ABSENCE });
  if (flags.demoteRedis) add('--demote-redis', { kind: 'demote-redis', seconds: ABSENCE });
  if (lag) add(`--lag ${lag}`, { kind: 'lag', seconds: lag });
  if (slow) add(`--slow ${slow.to}=${slow.delayMs}`, { kind: 'slow-network', ...slow, seconds: ABSENCE });
  if (flags.deploy) add('--deploy', { kind: 'deploy' });
  if (resize) add(`--resize ${resize}`, { kind: 'resize', vcpu: resize });
  if (scale) {
    add(`--scale ${scale}`, { kind: 'scale', servers: scale });
    add(`--scale ${scale}`, { kind: 'scale', servers });
  }
  return asked;
}

function isUpgrade({ action }: Step): boolean {
  return action.kind === 'next-phase';
}

function spread(asked: readonly Asked[], seconds: number): Step[] {
  return asked.map(({ action }, index) => ({ at: (seconds * (index + 1)) / (asked.length + 2), action }));
}

function checkLoad(load: Load): void {
  if (peakRate(load) > LIMITS.rps) {
    throw new UsageError(
      `--rps ${load.rps}: at the top of "${load.profile}" ${peakRate(load)} requests/s; at most ${LIMITS.rps} are allowed`,
    );
  }
  if (totalRequests(load) > LIMITS.requests) {
    throw new UsageError(
      `--rps ${load.rps} for --seconds ${load.seconds}: ${Math.round(totalRequests(load))} requests; at most ${LIMITS.requests} are allowed`,
    );
  }
}

/** The first phase that has what a setting is about. */
const FIRST_PHASE = { balance: 3, layer: 3, replicas: 3, timeScale: 4 } as const;

function checkShape(
  phase: RehearsedPhase,
  given: Partial<Record<keyof typeof FIRST_PHASE | 'servers', unknown>>,
): void {
  for (const [name, first] of Object.entries(FIRST_PHASE)) {
    const value = given[name as keyof typeof FIRST_PHASE];
    if (value !== undefined && phase < first) {
      throw new UsageError(`--${dashed(name)} ${value}: only from phase ${first} on, this is phase ${phase}`);
    }
  }
  if (given.servers !== undefined && given.servers !== 1 && phase < 3) {
    throw new UsageError(`--servers ${given.servers}: phase ${phase} has 1; more from phase 3 on`);
  }
}

function checkAction(
  { action, by }: Asked,
  phase: RehearsedPhase,
  { servers, replicas }: { readonly servers: number; readonly replicas: number | undefined },
): void {
  const phases = phasesOf(action);
  if (!phases.includes(phase)) throw new UsageError(`${by}: only in phase ${list(phases)}, this is phase ${phase}`);
  if ('count' in action && action.kind !== 'kill-workers' && action.count > servers) {
    throw new UsageError(`${by}: at most ${servers}, as many as there are servers`);
  }
  const toReplicas = ['kill-replica', 'lag'].includes(action.kind) || ('to' in action && action.to === 'replicas');
  if (toReplicas && replicas === 0) throw new UsageError(`${by}: --replicas must be at least 1, got 0`);
}

function list(phases: readonly number[]): string {
  return phases.length === 1 ? String(phases[0]) : `${phases.slice(0, -1).join(', ')} or ${phases.at(-1)}`;
}

function dashed(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
