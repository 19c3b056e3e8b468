import { audit } from './audit';
import { measureSaturation } from './calibration';
import { Client } from './client';
import { Figures } from './figures';
import type { JourneyContext } from './journeys';
import type { CalibrationPlan, FromGenerator, ToGenerator, TrafficPlan } from './messages';
import { totalRequests } from './profiles';
import { seedShop } from './shop-database';
import type { Account } from './shopper';
import { Stream } from './stream';

/**
 * Entry point of the load generator. A separate process keeps the rehearsal's own work out of the latencies. Controlled by
 * messages; exits when the IPC channel closes.
 */

/** Upper bound of the share of requests that are first logins; each needs a separate account. */
const LOGIN_SHARE = 0.04;

/** Number of accounts for a calibration: more than it can use. */
const CALIBRATION_ACCOUNTS = 400;

/** Differs from the seed of the traffic, so that its visitors differ. */
const CALIBRATION_SEED = 2;

/** Milliseconds between sign-ups. A password hash at full cost takes a tenth of a second of one core. */
const SIGN_UP_INTERVAL = 1_000;

let run: { readonly client: Client; readonly stream: Stream } | undefined;

async function start(plan: TrafficPlan): Promise<void> {
  const accounts = await seedShop(plan.databaseUrl, Math.ceil(totalRequests(plan.load) * LOGIN_SHARE));
  const client = new Client(plan.url);
  const figures = new Figures();
  const context = journeyContext(accounts, plan.seed);
  const { load, reloads = 0, addresses } = plan;
  const stream = new Stream({ load, reloads, addresses, client, figures, context });
  run = { client, stream };
  send({ type: 'started', at: Date.now() });
  const seconds = setInterval(() => send({ type: 'second', second: figures.takeSecond() }), 1_000);
  await stream.run();
  clearInterval(seconds);
  // The remainder after the last full second.
  send({ type: 'second', second: figures.takeSecond() });
  const { shoppers, cameBack } = stream;
  const visitors = { came: shoppers.length, cameBack, moved: shoppers.filter(({ moved }) => moved).length };
  send({ type: 'ended', summary: figures.summary(visitors) });
}

/** Uses visitors and connections that the traffic does not share. */
async function calibrate({ url, databaseUrl, addresses }: CalibrationPlan): Promise<void> {
  const accounts = await seedShop(databaseUrl, CALIBRATION_ACCOUNTS);
  const client = new Client(url);
  const rps = await measureSaturation({ client, addresses, context: journeyContext(accounts, CALIBRATION_SEED) });
  await client.close();
  send({ type: 'calibrated', rps });
}

function journeyContext(accounts: Account[], seed: number): JourneyContext {
  let signedUp = 0;
  return {
    random: mulberry32(seed),
    takeAccount: () => accounts.pop(),
    allowSignUp: () => {
      const allowed = performance.now() - signedUp >= SIGN_UP_INTERVAL;
      if (allowed) signedUp = performance.now();
      return allowed;
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
      if (!run) throw new Error('cannot audit before the traffic has started');
      const result = await audit(run.stream.shoppers, run.client, message);
      send({ type: 'audited', audit: result });
    }
  }
}

function send(message: FromGenerator): void {
  process.send?.(message);
}

/** Seeded pseudorandom numbers in [0, 1). */
function mulberry32(seed: number): () => number {
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
    send({ type: 'failed', message: error.stack ?? error.message });
  });
});
process.on('disconnect', () => process.exit());
// Ctrl-C reaches the whole process group; the rehearsal stops this process after its own cleanup.
process.on('SIGINT', () => {});
