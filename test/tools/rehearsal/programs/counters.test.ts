import { Counters } from '../../../../tools/rehearsal/programs/counters';

/** Counters of a program that can be down or restart. */
function counting() {
  const program = { up: true, reads: 0, writes: 0 };
  const counters = new Counters(['reads', 'writes'], async () => {
    const { up, ...counts } = program;
    if (!up) throw new Error('down');
    return counts;
  });
  return { program, counters };
}

test('counts from before a restart are kept', async () => {
  const { program, counters } = counting();
  Object.assign(program, { reads: 10, writes: 4 });
  expect(await counters.value()).toEqual({ reads: 10, writes: 4 });
  Object.assign(program, { reads: 2, writes: 5 });
  expect(await counters.value()).toEqual({ reads: 12, writes: 9 });
  Object.assign(program, { reads: 3, writes: 6 });
  expect(await counters.value()).toEqual({ reads: 13, writes: 10 });
});

test('the last counts apply while the program is down, and 0 before the first read', async () => {
  const { program, counters } = counting();
  program.up = false;
  expect(await counters.value()).toEqual({ reads: 0, writes: 0 });
  Object.assign(program, { up: true, reads: 7 });
  await counters.value();
  program.up = false;
  expect(await counters.value()).toEqual({ reads: 7, writes: 0 });
});

test('responses out of order do not count as a restart', async () => {
  const answers: ((reads: number) => void)[] = [];
  const counters = new Counters(['reads'], () => new Promise((answer) => answers.push((reads) => answer({ reads }))));
  const asked = [counters.value(), counters.value()];
  answers.forEach((answer, index) => {
    answer(100 - index);
  });
  expect(await Promise.all(asked)).toEqual([{ reads: 100 }, { reads: 100 }]);
});
