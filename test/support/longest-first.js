const { default: Sequencer } = require('@jest/test-sequencer');
const { usesRealParts } = require('./real-parts');

/**
 * The order of a run. Jest begins with what took longest last time; a fresh clone knows of no last time. What waits for real
 * parts comes first then, so that arithmetic fills the end.
 */
module.exports = class LongestFirst extends Sequencer {
  sort(tests) {
    const sorted = super.sort(tests);
    const real = new Map(sorted.map((test) => [test, usesRealParts(test.path)]));
    return [...sorted.filter((test) => real.get(test)), ...sorted.filter((test) => !real.get(test))];
  }
};
