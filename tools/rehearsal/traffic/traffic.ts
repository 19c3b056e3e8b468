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

/** Running traffic of a generator process. */
export interface Traffic {
  readonly pid: number;
  /** Start time in ms of `Date.now()`. */
  readonly startedAt: number;
  /** Emits `second` for each second of traffic. */
  readonly events: EventEmitter<{ second: [Second] }>;
  /** Resolves when the last request has completed. */
  readonly ended: Promise<TrafficSummary>;
  /** Multiplies the rate of the load's profile. */
  scale(factor: number): void;
  /** Continues the traffic after the load's duration, at its final rate, until {@link end}. */
  hold(): void;
  /** Stops new requests; `ended` resolves when those in flight have completed. */
  end(): void;
  /**
   * Verifies that every confirmed order, cart item and login still exists. Call it after `ended`.
   *
   * @param databaseUrl connection string of the current primary
   * @param receiptsWithin seconds in which background jobs must make progress
   */
  audit(databaseUrl: string, receiptsWithin?: number): Promise<Audit>;
  /** Ends the process. Safe to call twice. */
  stop(): Promise<void>;
}

/** Returns source addresses on loopback for visitors. Only Linux accepts all of 127.0.0.0/8 without configuration. */
export function visitorAddresses(): string[] {
  return addresses('127.0.0');
}

/** Returns other addresses, so that per-address limits do not add calibration and traffic. */
export function calibrationAddresses(): string[] {
  return addresses(process.platform === 'linux' ? '127.0.1' : '127.0.0');
}

function addresses(network: string): string[] {
  return Array.from({ length: process.platform === 'linux' ? 64 : 1 }, (_, index) => `${network}.${index + 1}`);
}

/** A generator process before its traffic starts. */
export interface Generator {
  /** Measures the saturation throughput of this machine in requests per second; takes a few seconds. */
  calibrate(plan: CalibrationPlan): Promise<number>;
  /**
   * Replenishes the stock, creates customer accounts, and starts the traffic.
   *
   * @throws if the shop's database cannot be reached
   */
  start(plan: TrafficPlan): Promise<Traffic>;
  /** Ends the process. Safe to call twice. */
  stop(): Promise<void>;
}

/** Starts a generator process without traffic. It exits with this process. */
export function startGenerator(): Generator {
  const child = fork(join(__dirname, 'generator.ts'), { execArgv: ['--import', 'tsx'], serialization: 'advanced' });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async () => {
    child.kill('SIGTERM');
    await exited;
  };
  return {
    calibrate: async (plan) => {
      send(child, { type: 'calibrate', plan });
      return (await nextMessage(child, 'calibrated')).rps;
    },
    start: (plan) => start(child, plan, stop),
    stop,
  };
}

/**
 * Starts a generator process and its traffic, as {@link Generator.start} does.
 *
 * @throws if the shop's database cannot be reached
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
  const ended = nextMessage(child, 'ended').then(({ summary }) => summary);
  // Consumers of `ended` handle the rejection.
  ended.catch(() => {});
  send(child, { type: 'start', plan });
  const { at } = await nextMessage(child, 'started');
  return {
    pid: child.pid as number,
    startedAt: at,
    events,
    ended,
    scale: (factor) => send(child, { type: 'scale', factor }),
    hold: () => send(child, { type: 'hold' }),
    end: () => send(child, { type: 'end' }),
    audit: async (databaseUrl, receiptsWithin = 0) => {
      send(child, { type: 'audit', databaseUrl, receiptsWithin });
      return (await nextMessage(child, 'audited')).audit;
    },
    stop,
  };
}

function send(child: ChildProcess, message: ToGenerator): void {
  if (child.connected) child.send(message);
}

type Message<T extends FromGenerator['type']> = Extract<FromGenerator, { type: T }>;

/** Resolves to the next message of a type. */
function nextMessage<T extends FromGenerator['type']>(child: ChildProcess, type: T): Promise<Message<T>> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => reject(new Error(`the traffic generator exited with ${code ?? signal}`)));
    child.on('message', (message: FromGenerator) => {
      if (message.type === type) resolve(message as Message<T>);
      if (message.type === 'failed') reject(new Error(`the traffic generator failed: ${message.message}`));
    });
  });
}
