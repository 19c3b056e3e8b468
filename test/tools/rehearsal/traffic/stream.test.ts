import type { Client, Sent } from '../../../../tools/rehearsal/traffic/client';
import { Figures } from '../../../../tools/rehearsal/traffic/figures';
import type { TrafficSummary } from '../../../../tools/rehearsal/traffic/messages';
import type { Call } from '../../../../tools/rehearsal/traffic/shopper';
import { Stream } from '../../../../tools/rehearsal/traffic/stream';

/** Due requests and retries. */
const failure: Sent = { outcome: 'failed', status: 503, text: '', failure: '503' };
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
  // Every visitor fills a cart.
  const context = { random: () => 0.6, takeAccount: () => undefined, allowSignUp: () => false };
  const load = { profile: 'steady', rps: 20, seconds: 2, factor: 1 } as const;
  await new Stream({ load, reloads, addresses: ['127.0.0.1'], client, figures, context }).run();
  figures.takeSecond();
  return { calls, summary: figures.summary({} as TrafficSummary['visitors']) };
}

test('held traffic continues at its final rate until end() is called', async () => {
  const calls: number[] = [];
  const begin = performance.now();
  const client = {
    send: async () => {
      calls.push(performance.now() - begin);
      return failure;
    },
  } as unknown as Client;
  const figures = new Figures();
  const context = { random: () => 0.6, takeAccount: () => undefined, allowSignUp: () => false };
  const load = { profile: 'ramp', rps: 40, seconds: 1, factor: 1 } as const;
  const stream = new Stream({ load, reloads: 0, addresses: ['127.0.0.1'], client, figures, context });
  stream.held = true;
  const running = stream.run();
  setTimeout(() => stream.end(), 3_000);
  await running;
  const later = calls.filter((at) => at > 1_500).length;
  expect(later).toBeGreaterThan(calls.filter((at) => at <= 1_000).length);
});

test('failed requests are retried in addition to the load', async () => {
  const [never, twice] = await Promise.all([visits(() => failure, 0), visits(() => failure, 2)]);
  expect(never.summary.reloads).toBe(0);
  // Visitors of the first second retry in the next one.
  expect(twice.summary.reloads).toBeGreaterThan(8);
  expect(twice.summary.due - twice.summary.reloads).toBe(never.summary.due);
  expect(twice.calls).toHaveLength(twice.summary.due);
});

test('neither POST requests nor successful requests are retried', async () => {
  const shop = (call: Call) => (call.method === 'POST' ? failure : call.path.startsWith('/api') ? list : page);
  const { calls, summary } = await visits(shop, 2);
  expect(calls.some(({ method }) => method === 'POST')).toBe(true);
  expect(summary.reloads).toBe(0);
});
