import { audit } from './audit';
import { saturate } from './calibration';
import { Client } from './client';
import { Figures } from './figures';
import type { World } from './journeys';
import type { CalibrationPlan, FromGenerator, ToGenerator, TrafficPlan } from './messages';
import { totalRequests } from './profiles';
import type { Account } from './shopper';
import { stock } from './store';
import { Stream } from './stream';

/**
 * The process that visitors come from. One of its own, so that neither what it does nor what the rehearsal does shows in the
 * other's times; it works on messages, and ends with the channel that they come over.
 */

/** Share of requests that log in for the first time, with some to spare; each needs an account of its own. */
const LOG_INS = 0.04;

/** Accounts of a calibration: more than it can log in to within its seconds. */
const CALIBRATION_ACCOUNTS = 400;

/** Another than the traffic's, or its visitors would be the same. */
const CALIBRATION_SEED = 2;

/** Milliseconds between two visitors who sign up: a hash at full cost is a tenth of a second of one core. */
const SIGN_UP_EVERY = 1_000;

let run: { readonly client: Client; readonly stream: Stream } | undefined;

async function start(plan: TrafficPlan): Promise<void> {
  const accounts = await stock(plan.databaseUrl, Math.ceil(totalRequests(plan.load) * LOG_INS));
  const client = new Client(plan.url);
  const figures = new Figures();
  const world = worldOf(accounts, plan.seed);
  const { load, reloads = 0, addresses } = plan;
  const stream = new Stream({ load, reloads, addresses, client, figures, world });
  run = { client, stream };
  tell({ type: 'started', at: Date.now() });
  const seconds = setInterval(() => tell({ type: 'second', second: figures.takeSecond() }), 1_000);
  await stream.run();
  clearInterval(seconds);
  // What ended since the last full second.
  tell({ type: 'second', second: figures.takeSecond() });
  const { shoppers, cameBack } = stream;
  const visitors = { came: shoppers.length, cameBack, moved: shoppers.filter(({ moved }) => moved).length };
  tell({ type: 'ended', summary: figures.summary(visitors) });
}

/** Its visitors, orders and connections are none of the traffic's, which starts after it. */
async function calibrate({ url, databaseUrl, addresses }: CalibrationPlan): Promise<void> {
  const accounts = await stock(databaseUrl, CALIBRATION_ACCOUNTS);
  const client = new Client(url);
  const rps = await saturate({ client, addresses, world: worldOf(accounts, CALIBRATION_SEED) });
  await client.close();
  tell({ type: 'calibrated', rps });
}

function worldOf(accounts: Account[], seed: number): World {
  let signedUp = 0;
  return {
    random: randomNumbers(seed),
    takeAccount: () => accounts.pop(),
    maySignUp: () => {
      const may = performance.now() - signedUp >= SIGN_UP_EVERY;
      if (may) signedUp = performance.now();
      return may;
    },
  };
}

async function handle(message: ToGenerator): Promise<void> {
  switch (message.type) {
    case 'calibrate':
      return calibrate(message.plan);
    case 'start':
      return start(message.plan);
    case 'scale':
      if (run) run.stream.factor = message.factor;
      return;
    case 'hold':
      if (run) run.stream.held = true;
      return;
    case 'end':
      run?.stream.end();
      return;
    case 'audit': {
      if (!run) throw new Error('there is nothing to audit before the start');
      const result = await audit(run.stream.shoppers, run.client, message);
      tell({ type: 'audited', audit: result });
    }
  }
}

function tell(message: FromGenerator): void {
  process.send?.(message);
}

/** Numbers from 0 up to 1 that look random (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

process.on('message', (message: ToGenerator) => {
  handle(message).catch((error: Error) => {
    tell({ type: 'failed', message: error.stack ?? error.message });
  });
});
process.on('disconnect', () => process.exit());
// A Ctrl-C in the terminal is for the rehearsal, which ends this process when it is done with it.
process.on('SIGINT', () => {});
