import { isWithin, Ledger } from '../../../../tools/rehearsal/traffic/ledger';

const shown = (items: Record<number, number>) =>
  new Map(Object.entries(items).map(([id, count]) => [Number(id), count]));

function filled(): Ledger {
  const ledger = new Ledger();
  ledger.recordAdded(1, true);
  ledger.recordAdded(1, true);
  ledger.recordAdded(2, true);
  ledger.recordAdded(2, false);
  return ledger;
}

test('confirmed items must be in the cart, unconfirmed items may be', () => {
  const ledger = filled();
  expect(ledger.missingIn(shown({ 1: 2, 2: 1 }))).toBe(0);
  expect(ledger.missingIn(shown({ 1: 2, 2: 2 }))).toBe(0);
  expect(ledger.missingIn(shown({ 1: 1, 2: 2 }))).toBe(1);
  expect(ledger.missingIn(shown({}))).toBe(3);
});

test('a loss counts once, and so do items that were never added', () => {
  const ledger = filled();
  ledger.reconcileCart(shown({ 1: 1, 2: 3 }));
  ledger.reconcileCart(shown({ 1: 1, 2: 3 }));
  expect(ledger.lost.cartItems).toBe(1);
  expect(ledger.surplus).toBe(1);
  expect(ledger.acknowledged.cartItems).toBe(3);
});

test('an order empties the cart, except for unconfirmed items', () => {
  const ledger = filled();
  ledger.startOrder('key');
  expect(ledger.pending).toMatchObject({ key: 'key' });
  ledger.confirmOrder('id');
  expect(ledger.pending).toBeUndefined();
  expect(ledger.confirmedItems).toBe(0);
  expect(ledger.missingIn(shown({}))).toBe(0);
  ledger.reconcileCart(shown({ 2: 1 }));
  expect(ledger.surplus).toBe(0);
  expect(ledger.orders).toMatchObject([{ key: 'key', id: 'id' }]);
});

test('a refused order leaves the cart unchanged', () => {
  const ledger = filled();
  ledger.startOrder('key');
  ledger.discardOrder();
  expect([ledger.pending, ledger.confirmedItems, ledger.orders]).toEqual([undefined, 3, []]);
});

test('the number of items must be between the confirmed and the requested number', () => {
  expect([1, 2, 3, 4].map((items) => isWithin(items, { confirmed: 2, unconfirmed: 1 }))).toEqual([
    false,
    true,
    true,
    false,
  ]);
});
