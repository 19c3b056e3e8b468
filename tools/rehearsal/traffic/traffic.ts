import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import type {
  Audit,
  CalibrationPlan,
  FromGenerator,
  Second,
  ToGenerator,
  TrafficPlan,
  TrafficSummary,
} from './messages';

/** Visitors who come from a process of their own. */
export interface Traffic {
  readonly pid: number;
  /** When it began, as of `Date.now()`. */
  readonly startedAt: number;
  /** Emits `second` for each second of traffic. */
  readonly events: EventEmitter<{ second: [Second] }>;
  /** Resolves when the last request has ended. */
  readonly ended: Promise<TrafficSummary>;
  /** From now on this many times what the load's profile says. */
  scale(factor: number): void;
  /** Traffic continues after the load's time, at the rate of its end, until {@link end}. */
  hold(): void;
  /** No more requests from now on; `ended` resolves when those in flight have ended. */
  end(): void;
  /**
   * Holds what visitors were told against what there is; after `ended`.
   *
   * @param databaseUrl of the primary as it is now
   * @param receiptsWithin seconds in which background jobs must make progress
   */
  audit(databaseUrl: string, receiptsWithin?: number): Promise<Audit>;
  /** Ends the process. Safe to call twice. */
  stop(): Promise<void>;
}

/** Addresses on loopback that visitors can come from. Only Linux has them all without being asked. */
export function visitorAddresses(): string[] {
  return addresses('127.0.0');
}

/** Others, so that no limit by address counts a calibration's requests among the visitors'. */
export function calibrationAddresses(): string[] {
  return addresses(process.platform === 'linux' ? '127.0.1' : '127.0.0');
}

function addresses(network: string): string[] {
  return Array.from({ length: process.platform === 'linux' ? 64 : 1 }, (_, index) => `${network}.${index + 1}`);
}

/** The process that visitors come from, before they do. */
export interface Generator {
  /** Answered requests per second when the machine has no processor left; see `calibration.ts`. Takes a few seconds. */
  calibrate(plan: CalibrationPlan): Promise<number>;
  /**
   * Starts visitors, after it has filled the shop's stock and made its customers' accounts.
   *
   * @throws when the shop's database cannot be reached
   */
  start(plan: TrafficPlan): Promise<Traffic>;
  /** Ends the process. Safe to call twice. */
  stop(): Promise<void>;
}

/** Starts the process alone. It ends with this one. */
export function startGenerator(): Generator {
  const child = fork(join(__dirname, 'generator.ts'), { execArgv: ['--import', 'tsx'], serialization: 'advanced' });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async () => {
    child.kill('SIGTERM');
    await exited;
  };
  return {
    calibrate: async (plan) => {
      tell(child, { type: 'calibrate', plan });
      return (await answer(child, 'calibrated')).rps;
    },
    start: (plan) => start(child, plan, stop),
    stop,
  };
}

/**
 * Starts visitors in a process of their own, as {@link Generator.start} does.
 *
 * @throws when the shop's database cannot be reached
 */
export async function startTraffic(plan: TrafficPlan): Promise<Traffic> {
  const generator = startGenerator();
  try {
    return await generator.start(plan);
  } catch (error) {
    await generator.stop();
    throw error;
  }
}

async function start(child: ChildProcess, plan: TrafficPlan, stop: Traffic['stop']): Promise<Traffic> {
  const events = new EventEmitter<{ second: [Second] }>();
  child.on('message', (message: FromGenerator) => {
    if (message.type === 'second') events.emit('second', message.second);
  });
  const ended = answer(child, 'ended').then(({ summary }) => summary);
  // Whatever waits for it handles its failure.
  ended.catch(() => {});
  tell(child, { type: 'start', plan });
  const { at } = await answer(child, 'started');
  return {
    pid: child.pid as number,
    startedAt: at,
    events,
    ended,
    scale: (factor) => tell(child, { type: 'scale', factor }),
    hold: () => tell(child, { type: 'hold' }),
    end: () => tell(child, { type: 'end' }),
    audit: async (databaseUrl, receiptsWithin = 0) => {
      tell(child, { type: 'audit', databaseUrl, receiptsWithin });
      return (await answer(child, 'audited')).audit;
    },
    stop,
  };
}

function tell(child: ChildProcess, message: ToGenerator): void {
  if (child.connected) child.send(message);
}

type Message<T extends FromGenerator['type']> = Extract<FromGenerator, { type: T }>;

/** The next message of a type. */
function answer<T extends FromGenerator['type']>(child: ChildProcess, type: T): Promise<Message<T>> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => reject(new Error(`the traffic generator ended with ${code ?? signal}`)));
    child.on('message', (message: FromGenerator) => {
      if (message.type === type) resolve(message as Message<T>);
      if (message.type === 'failed') reject(new Error(`the traffic generator failed: ${message.message}`));
    });
  });
}
