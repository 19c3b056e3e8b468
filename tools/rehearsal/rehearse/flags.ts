import { UsageError } from '../../support/usage-error';
import type { Dependency } from '../topology/fault';
import { ZONES } from '../topology/snapshot';
import type { RehearsedPhase } from '../topology/topology-plan';
import { type Load, peakRate, totalRequests } from '../traffic/profiles';
import {
  type Action,
  DEFAULT_RPS,
  defaultServers,
  LIMITS,
  type Scenario,
  type Step,
  supportedPhases,
} from './scenario';
import { readScenarioFile, type ScenarioFile } from './scenario-file';

/** Options of the command line. */
export interface RehearseFlags extends Partial<Omit<ScenarioFile, 'factor' | 'steps'>> {
  /** Scenario file with settings and steps. Flags override its settings. */
  readonly scenario?: string;
  /** Peak of a spike as a multiple of the rate. */
  readonly spike?: number;
  /** As `spike`, with servers too small for the peak. */
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
  /** Serves a board with buttons for faults. */
  readonly board?: true;
}

/** Default duration in seconds. Phases 1 and 2 include a restart of the instance, phase 4 the reaction of scaling policies. */
const DEFAULT_SECONDS = { 1: 60, 2: 60, 3: 30, 4: 90 } as const;

/** Default duration of Black Friday: policies scale in after 15 minutes of simulated time, {@link TIME_SCALE} times faster. */
const DAY_SECONDS = 240;

/** Default duration with a board, in seconds. */
const BOARD_SECONDS = 600;

/** Default vCPUs of an overloaded server: low enough that the server saturates before this machine. */
const OVERLOADED_VCPU = 0.1;

/** Requests in flight per server of {@link OVERLOADED_VCPU}: about a quarter of a second of work. */
const MAX_IN_FLIGHT = 16;

/** Default retries per failed request with `--overload`. */
const OVERLOAD_RETRIES = 2;

/** Default duration of an outage in seconds. */
const OUTAGE_SECONDS = 5;

/** Default speed of simulated time for the scaling policies of phase 4. */
export const TIME_SCALE = 30;

/** An action with its source for error messages, such as `--kill 1`. */
interface RequestedAction {
  readonly action: Action;
  readonly source: string;
}

/**
 * Builds the scenario from flags, the scenario file and defaults, in this order of precedence. Actions of flags are spread
 * evenly over the duration in the order of the help text, with time left for recovery.
 *
 * @throws UsageError for options that the phase does not support, and beyond the limits
 */
export function scenarioOf(
  phase: RehearsedPhase,
  { scenario: file, ...flags }: RehearseFlags,
  until: RehearsedPhase = phase,
): Scenario {
  const { steps: fileSteps, ...settings }: ScenarioFile = file === undefined ? { steps: [] } : readScenarioFile(file);
  const given = { ...settings, ...flags };
  const top = given.spike ?? given.overload;
  const load: Load = {
    profile: given.profile ?? (top === undefined ? 'steady' : 'spike'),
    rps: given.rps ?? DEFAULT_RPS,
    seconds: given.seconds ?? defaultSeconds(phase, until, given),
    factor: top ?? settings.factor ?? 10,
  };
  const servers = given.servers ?? defaultServers(phase);
  const sessions = given.sessions;
  const timeScale = phase === 4 ? (given.timeScale ?? TIME_SCALE) : undefined;
  checkLoad(load);
  checkShape(phase, given);
  for (const [index, { at, action }] of fileSteps.entries()) {
    const source = `steps[${index}] ${action.kind}`;
    checkAction({ action, source }, phase, { servers, replicas: given.replicas });
    if (at >= load.seconds) {
      throw new UsageError(`at of ${source} must be less than the duration of ${load.seconds} s, got ${at}.`);
    }
  }
  const requested = actionsFromFlags(flags, servers);
  for (let next = phase + 1; next <= until; next++) {
    requested.push({ source: `${phase}..${until}`, action: { kind: 'next-phase' } });
  }
  for (const one of requested) checkAction(one, phase, { servers, replicas: given.replicas });
  const steps = [...fileSteps, ...spreadOverTime(requested, load.seconds)].sort((a, b) => a.at - b.at);
  // commander sets `--no-` options to true by default.
  const shedding = flags.shedding === false ? false : settings.shedding;
  return {
    phase,
    ...(steps.some(isUpgrade) && { until: (phase + steps.filter(isUpgrade).length) as RehearsedPhase }),
    servers,
    vcpu: given.vcpu ?? (given.overload === undefined ? undefined : OVERLOADED_VCPU),
    sessions,
    // Sessions in memory exist on one server only.
    balance: given.balance ?? (sessions === 'memory' ? 'sticky' : undefined),
    layer: given.layer,
    replicas: given.replicas,
    shedding,
    cache: flags.cache === false ? false : settings.cache,
    reloads: given.reloads ?? (given.overload === undefined ? undefined : OVERLOAD_RETRIES),
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
  return Math.max(DEFAULT_SECONDS[phase], until > phase || deploy ? 90 : 0, scale || overload ? 60 : 0);
}

function actionsFromFlags(flags: RehearseFlags, servers: number): RequestedAction[] {
  const requested: RequestedAction[] = [];
  const add = (source: string, action: Action) => requested.push({ source, action });
  const { kill, stop, spot, killWorker, killAz, lag, slow, resize, scale } = flags;
  if (kill) add(`--kill ${kill}`, { kind: 'kill-servers', count: kill });
  if (stop) add(`--stop ${stop}`, { kind: 'stop-servers', count: stop });
  if (spot) add(`--spot ${spot}`, { kind: 'spot-notice', count: spot });
  if (killWorker) add(`--kill-worker ${killWorker}`, { kind: 'kill-workers', count: killWorker });
  for (const zone of ZONES.slice(0, killAz ?? 0)) add(`--kill-az ${killAz}`, { kind: 'kill-zone', zone });
  if (flags.killDb) add('--kill-db', { kind: 'kill-database', seconds: OUTAGE_SECONDS });
  if (flags.killReplica) add('--kill-replica', { kind: 'kill-replica', seconds: OUTAGE_SECONDS });
  if (flags.killRedis) add('--kill-redis', { kind: 'kill-redis', seconds: OUTAGE_SECONDS });
  if (flags.demoteRedis) add('--demote-redis', { kind: 'demote-redis', seconds: OUTAGE_SECONDS });
  if (lag) add(`--lag ${lag}`, { kind: 'lag', seconds: lag });
  if (slow) add(`--slow ${slow.to}=${slow.delayMs}`, { kind: 'slow-network', ...slow, seconds: OUTAGE_SECONDS });
  if (flags.deploy) add('--deploy', { kind: 'deploy' });
  if (resize) add(`--resize ${resize}`, { kind: 'resize', vcpu: resize });
  if (scale) {
    add(`--scale ${scale}`, { kind: 'scale', servers: scale });
    add(`--scale ${scale}`, { kind: 'scale', servers });
  }
  return requested;
}

function isUpgrade({ action }: Step): boolean {
  return action.kind === 'next-phase';
}

function spreadOverTime(requested: readonly RequestedAction[], seconds: number): Step[] {
  return requested.map(({ action }, index) => ({ at: (seconds * (index + 1)) / (requested.length + 2), action }));
}

function checkLoad(load: Load): void {
  if (peakRate(load) > LIMITS.rps) {
    throw new UsageError(
      `Peak rate of "${load.profile}" must be at most ${LIMITS.rps} requests/s, got ${peakRate(load)}. Lower --rps.`,
    );
  }
  if (totalRequests(load) > LIMITS.requests) {
    throw new UsageError(
      `--rps times --seconds must be at most ${LIMITS.requests} requests, got ${Math.round(totalRequests(load))}. Lower one of them.`,
    );
  }
}

/** First phase that supports a setting. */
const FIRST_PHASE = { balance: 3, layer: 3, replicas: 3, timeScale: 4 } as const;

function checkShape(
  phase: RehearsedPhase,
  given: Partial<Record<keyof typeof FIRST_PHASE | 'servers', unknown>>,
): void {
  for (const [name, first] of Object.entries(FIRST_PHASE)) {
    const value = given[name as keyof typeof FIRST_PHASE];
    if (value !== undefined && phase < first) {
      throw new UsageError(
        `--${toKebabCase(name)} must be unset in phase ${phase}, got ${value}. Use phase ${first} or later.`,
      );
    }
  }
  if (given.servers !== undefined && given.servers !== 1 && phase < 3) {
    throw new UsageError(`--servers must be 1 in phase ${phase}, got ${given.servers}. Use phase 3 or later for more.`);
  }
}

function checkAction(
  { action, source }: RequestedAction,
  phase: RehearsedPhase,
  { servers, replicas }: { readonly servers: number; readonly replicas: number | undefined },
): void {
  const phases = supportedPhases(action);
  if (!phases.includes(phase)) throw new UsageError(`${source} must run in phase ${list(phases)}, got phase ${phase}.`);
  if ('count' in action && action.kind !== 'kill-workers' && action.count > servers) {
    throw new UsageError(
      `${source} must affect at most ${servers} servers, got ${action.count}. Add servers with --servers.`,
    );
  }
  const toReplicas = ['kill-replica', 'lag'].includes(action.kind) || ('to' in action && action.to === 'replicas');
  if (toReplicas && replicas === 0) throw new UsageError(`--replicas must be at least 1 for ${source}, got 0.`);
}

function list(phases: readonly number[]): string {
  return phases.length === 1 ? String(phases[0]) : `${phases.slice(0, -1).join(', ')} or ${phases.at(-1)}`;
}

function toKebabCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
