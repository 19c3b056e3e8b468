import { Ledger, within } from '../../../../tools/rehearsal/traffic/ledger';

const shown = (pieces: Record<number, number>) =>
  new Map(Object.entries(pieces).map(([id, count]) => [Number(id), count]));

function filled(): Ledger {
  const ledger = new Ledger();
  ledger.added(1, true);
  ledger.added(1, true);
  ledger.added(2, true);
  ledger.added(2, false);
  return ledger;
}

test('what was acknowledged must be there, what was not answered may be', () => {
  const ledger = filled();
  expect(ledger.missingIn(shown({ 1: 2, 2: 1 }))).toBe(0);
  expect(ledger.missingIn(shown({ 1: 2, 2: 2 }))).toBe(0);
  expect(ledger.missingIn(shown({ 1: 1, 2: 2 }))).toBe(1);
  expect(ledger.missingIn(shown({}))).toBe(3);
});

test('a loss counts once, and what nobody put there counts, too', () => {
  const ledger = filled();
  ledger.settleCart(shown({ 1: 1, 2: 3 }));
  ledger.settleCart(shown({ 1: 1, 2: 3 }));
  expect(ledger.lost.cartItems).toBe(1);
  expect(ledger.surplus).toBe(1);
  expect(ledger.acknowledged.cartItems).toBe(3);
});

test('an order takes the cart with it, but for what may still arrive', () => {
  const ledger = filled();
  ledger.ordering('key');
  expect(ledger.pending).toMatchObject({ key: 'key' });
  ledger.ordered('id');
  expect(ledger.pending).toBeUndefined();
  expect(ledger.kept).toBe(0);
  expect(ledger.missingIn(shown({}))).toBe(0);
  ledger.settleCart(shown({ 2: 1 }));
  expect(ledger.surplus).toBe(0);
  expect(ledger.orders).toMatchObject([{ key: 'key', id: 'id' }]);
});

test('an order that was refused leaves the cart as it was', () => {
  const ledger = filled();
  ledger.ordering('key');
  ledger.notOrdered();
  expect([ledger.pending, ledger.kept, ledger.orders]).toEqual([undefined, 3, []]);
});

test('pieces are as promised from those acknowledged to those asked for', () => {
  expect([1, 2, 3, 4].map((pieces) => within(pieces, { kept: 2, maybe: 1 }))).toEqual([false, true, true, false]);
});
