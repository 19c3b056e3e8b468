const tests = require('./jest.config');

/**
 * Drills: whole rehearsals, deploys to the emulator and faults under load, each many seconds long. A drill lies beside the tests
 * of the same part as `*.drill.ts`; what it proves has a quick test in `npm test` as well.
 *
 * @type {import('jest').Config}
 */
// One at a time: each loads the whole machine, so two would measure each other.
module.exports = { ...tests, testMatch: ['**/*.drill.ts'], maxWorkers: 1 };
