const { default: Sequencer } = require('@jest/test-sequencer');
const { startsPrograms } = require('./starts-programs');

/**
 * Sorts test files. Jest starts with the slowest files of the last run, but a fresh clone has no timings. Files that start
 * programs run first, so that fast files fill the workers at the end.
 */
module.exports = class LongestFirst extends Sequencer {
  sort(tests) {
    const sorted = super.sort(tests);
    const real = new Map(sorted.map((test) => [test, startsPrograms(test.path)]));
    return [...sorted.filter((test) => real.get(test)), ...sorted.filter((test) => !real.get(test))];
  }
};
