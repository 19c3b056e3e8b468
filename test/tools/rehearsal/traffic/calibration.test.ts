import { setTimeout as sleep } from 'node:timers/promises';
import { measureSaturation } from '../../../../tools/rehearsal/traffic/calibration';
import type { Sent } from '../../../../tools/rehearsal/traffic/client';
import type { Call } from '../../../../tools/rehearsal/traffic/shopper';

/** Saturation throughput of a fake shop. */
const list = '{"items":[{"id":1,"name":"Mug","category":"kitchen"}],"page":1,"total":1}';
const cart = '{"items":[]}';

const WARM_UP = 200;
const MEASURED = 500;

async function found(answer: (call: Call) => Promise<Sent['outcome']>) {
  const calls: Call[] = [];
  const answeredAt: number[] = [];
  let inFlight = 0;
  let most = 0;
  const client = {
    send: async (_: unknown, call: Call): Promise<Sent> => {
      calls.push(call);
      inFlight += 1;
      most = Math.max(most, inFlight);
      const outcome = await answer(call);
      inFlight -= 1;
      answeredAt.push(performance.now());
      const text = call.path.startsWith('/api/cart') ? cart : call.path.startsWith('/api') ? list : '';
      return { outcome, status: outcome === 'ok' ? 200 : 503, text };
    },
  };
  let random = 0;
  const context = {
    random: () => {
      random = (random + 0.37) % 1;
      return random;
    },
    takeAccount: () => ({ email: 'a@example.com', password: 'x' }),
    allowSignUp: () => false,
  };
  const from = performance.now() + WARM_UP;
  const rps = await measureSaturation({
    client,
    addresses: ['127.0.1.1'],
    context,
    warmUpMs: WARM_UP,
    measuredMs: MEASURED,
  });
  return { rps, calls, most, inFlight, warm: answeredAt.filter((at) => at >= from).length };
}

test('the loop is closed: response times set the rate, concurrency is limited, and no request is left at the end', async () => {
  const each = 20;
  const { rps, calls, most, inFlight, warm } = await found(async () => {
    await sleep(each);
    return 'ok';
  });
  expect([most, inFlight]).toEqual([16, 0]);
  // Upper bound: concurrency divided by response time.
  expect(rps).toBeGreaterThan(0);
  expect(rps).toBeLessThanOrEqual((1000 / each) * most * 1.1);
  // Requests during the warm-up do not count.
  expect((rps * MEASURED) / 1000).toBeLessThanOrEqual(warm);
  expect(new Set(calls.map(({ kind }) => kind)).size).toBeGreaterThan(2);
});

test('refused requests do not count', async () => {
  const { rps, calls } = await found(async () => {
    await sleep(5);
    return 'refused';
  });
  expect(calls.length).toBeGreaterThan(0);
  expect(rps).toBe(0);
});
