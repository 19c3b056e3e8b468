const tests = require('./jest.config');

/**
 * Drills: whole rehearsals, deploys to the emulator and faults under load, each many seconds long. A drill lies beside the tests
 * of the same part as `*.drill.ts`; what it proves has a quick test in `npm test` as well.
 *
 * @type {import('jest').Config}
 */
module.exports = { ...tests, testMatch: ['**/*.drill.ts'] };
