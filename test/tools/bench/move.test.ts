import { isGood, type MoveRun, moveOnce } from '../../../tools/bench/move';

test('killed -9 at each of its steps, and then left to end, the move loses and doubles nothing', async () => {
  const run = await moveOnce({ rows: 2_000, writes: 40, kill: true });
  expect(run).toMatchObject({ lost: 0, doubled: 0, wrong: [], equal: true });
  expect(run.kills).toBeGreaterThanOrEqual(9);
  expect(run.rows).toBeGreaterThan(2_000 * 4);
  expect(run.acknowledged).toBeGreaterThan(0);
});

test.each<[string, Partial<MoveRun>]>([
  ['an order lost', { lost: 1 }],
  ['a piece doubled', { doubled: 1 }],
  ['other content', { equal: false }],
  ['somebody logged out', { wrong: ['an order was answered 401'] }],
  ['a pause too long', { pauseSeconds: 10.1 }],
])('a run with %s misses its goal', (_, flaw) => {
  const run: MoveRun = {
    rows: 10,
    seconds: 5,
    kills: 0,
    pauseSeconds: 1,
    acknowledged: 10,
    lost: 0,
    doubled: 0,
    equal: true,
    reads: 10,
    readsFailedBefore: 0,
    readsFailed: 0,
    wrong: [],
  };
  expect(isGood(run)).toBe(true);
  expect(isGood({ ...run, ...flaw })).toBe(false);
});
