import { setTimeout as sleep } from 'node:timers/promises';
import { askAll } from '../../../../tools/rehearsal/traffic/audit';
import type { Sent } from '../../../../tools/rehearsal/traffic/client';
import { Shopper } from '../../../../tools/rehearsal/traffic/shopper';

/** Visitors who look at what is theirs, in a shop that answers slowly or not at all. */
const empty: Sent = { outcome: 'ok', status: 200, text: '{"items":[]}' };
const refused: Sent = { outcome: 'refused', status: 503, text: '' };

const visitors = (count: number) => Array.from({ length: count }, () => new Shopper('127.0.0.1'));
const ASKED_FOR = 1_000;

test('a slow shop is asked until it has answered all of them, however long that takes', async () => {
  const begin = performance.now();
  const tries = new Map<Shopper, number>();
  const client = {
    send: async (shopper: Shopper) => {
      await sleep(50);
      const count = (tries.get(shopper) ?? 0) + 1;
      tries.set(shopper, count);
      // Each is refused first, as by a server that is busy.
      return count === 1 ? refused : empty;
    },
  };
  expect(await askAll(visitors(48), client, ASKED_FOR)).toEqual([]);
  // Three rows of sixteen, with a pause each: longer than a shop is asked that answers none.
  expect(performance.now() - begin).toBeGreaterThan(ASKED_FOR);
});

test('a shop that answers none is given up', async () => {
  const client = { send: async () => refused };
  expect(await askAll(visitors(20), client, ASKED_FOR)).toHaveLength(20);
});
