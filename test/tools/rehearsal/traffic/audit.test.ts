import { setTimeout as sleep } from 'node:timers/promises';
import { verifyAll } from '../../../../tools/rehearsal/traffic/audit';
import type { Sent } from '../../../../tools/rehearsal/traffic/client';
import { Shopper } from '../../../../tools/rehearsal/traffic/shopper';

/** Verification of visitors' data when the shop responds slowly or not at all. */
const empty: Sent = { outcome: 'ok', status: 200, text: '{"items":[]}' };
const refused: Sent = { outcome: 'refused', status: 503, text: '' };

const visitors = (count: number) => Array.from({ length: count }, () => new Shopper('127.0.0.1'));
const GIVE_UP_AFTER = 1_000;

test('the audit of a slow shop continues while responses arrive', async () => {
  const begin = performance.now();
  const tries = new Map<Shopper, number>();
  const client = {
    send: async (shopper: Shopper) => {
      await sleep(50);
      const count = (tries.get(shopper) ?? 0) + 1;
      tries.set(shopper, count);
      // The first request of each visitor is refused, as by a busy server.
      return count === 1 ? refused : empty;
    },
  };
  expect(await verifyAll(visitors(48), client, GIVE_UP_AFTER)).toEqual([]);
  // Three batches of 16 with a pause each take longer than the time limit without responses.
  expect(performance.now() - begin).toBeGreaterThan(GIVE_UP_AFTER);
});

test('the audit gives up on a shop that refuses every request', async () => {
  const client = { send: async () => refused };
  expect(await verifyAll(visitors(20), client, GIVE_UP_AFTER)).toHaveLength(20);
});
