import { moveOnce } from '../../../tools/bench/move';

test('a move that is killed with -9 at each step and then resumed loses and duplicates no writes', async () => {
  const run = await moveOnce({ rows: 2_000, writes: 40, kill: true });
  expect(run).toMatchObject({ lost: 0, doubled: 0, wrong: [], equal: true });
  expect(run.kills).toBeGreaterThanOrEqual(9);
  expect(run.rows).toBeGreaterThan(2_000 * 4);
  expect(run.acknowledged).toBeGreaterThan(0);
});
