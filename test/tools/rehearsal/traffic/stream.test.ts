import type { Client, Sent } from '../../../../tools/rehearsal/traffic/client';
import { Figures } from '../../../../tools/rehearsal/traffic/figures';
import type { TrafficSummary } from '../../../../tools/rehearsal/traffic/messages';
import type { Call } from '../../../../tools/rehearsal/traffic/shopper';
import { Stream } from '../../../../tools/rehearsal/traffic/stream';

/** Requests that become due, and those that visitors make again. */
const missing: Sent = { outcome: 'failed', status: 503, text: '', failure: '503' };
const page: Sent = { outcome: 'ok', status: 200, text: '<link rel="stylesheet" href="/style.css">' };
const list: Sent = { ...page, text: '{"items":[{"id":1,"name":"Mug","category":"kitchen"}],"page":1,"total":1}' };

async function visits(answer: (call: Call) => Sent, reloads: number) {
  const calls: Call[] = [];
  const client = {
    send: async (_shopper: unknown, call: Call) => {
      calls.push(call);
      return answer(call);
    },
  } as unknown as Client;
  const figures = new Figures();
  // Every visitor wants to put something into a cart.
  const world = { random: () => 0.6, takeAccount: () => undefined, maySignUp: () => false };
  const load = { profile: 'steady', rps: 20, seconds: 2, factor: 1 } as const;
  await new Stream({ load, reloads, addresses: ['127.0.0.1'], client, figures, world }).run();
  figures.takeSecond();
  return { calls, summary: figures.summary({} as TrafficSummary['visitors']) };
}

test('traffic that is held continues at the rate of its end until it is ended', async () => {
  const calls: number[] = [];
  const begin = performance.now();
  const client = {
    send: async () => {
      calls.push(performance.now() - begin);
      return missing;
    },
  } as unknown as Client;
  const figures = new Figures();
  const world = { random: () => 0.6, takeAccount: () => undefined, maySignUp: () => false };
  const load = { profile: 'ramp', rps: 40, seconds: 1, factor: 1 } as const;
  const stream = new Stream({ load, reloads: 0, addresses: ['127.0.0.1'], client, figures, world });
  stream.held = true;
  const running = stream.run();
  setTimeout(() => stream.end(), 3_000);
  await running;
  const later = calls.filter((at) => at > 1_500).length;
  expect(later).toBeGreaterThan(calls.filter((at) => at <= 1_000).length);
});

test('what did not come is loaded again, beside what is due by the load', async () => {
  const [never, twice] = await Promise.all([visits(() => missing, 0), visits(() => missing, 2)]);
  expect(never.summary.reloads).toBe(0);
  // Who came in the first second tried again in the next one.
  expect(twice.summary.reloads).toBeGreaterThan(8);
  expect(twice.summary.due - twice.summary.reloads).toBe(never.summary.due);
  expect(twice.calls).toHaveLength(twice.summary.due);
});

test('nobody puts something into a cart twice, and what came is not loaded again', async () => {
  const shop = (call: Call) => (call.method === 'POST' ? missing : call.path.startsWith('/api') ? list : page);
  const { calls, summary } = await visits(shop, 2);
  expect(calls.some(({ method }) => method === 'POST')).toBe(true);
  expect(summary.reloads).toBe(0);
});
