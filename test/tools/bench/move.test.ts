import { type MoveRun, meetsGoals, moveOnce } from '../../../tools/bench/move';

test('a move that is killed with -9 at each step and then resumed loses and duplicates no writes', async () => {
  const run = await moveOnce({ rows: 2_000, writes: 40, kill: true });
  expect(run).toMatchObject({ lost: 0, doubled: 0, wrong: [], equal: true });
  expect(run.kills).toBeGreaterThanOrEqual(9);
  expect(run.rows).toBeGreaterThan(2_000 * 4);
  expect(run.acknowledged).toBeGreaterThan(0);
});

test.each<[string, Partial<MoveRun>]>([
  ['a lost order', { lost: 1 }],
  ['a duplicated item', { doubled: 1 }],
  ['different content', { equal: false }],
  ['a lost login', { wrong: ['order: status 401'] }],
  ['too long a pause', { pauseSeconds: 10.1 }],
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
  expect(meetsGoals(run)).toBe(true);
  expect(meetsGoals({ ...run, ...flaw })).toBe(false);
});
