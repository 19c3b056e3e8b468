import { type MoveRun, meetsGoals } from '../../../tools/bench/move';

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
