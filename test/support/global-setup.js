const { mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');

/** Jest's global setup: sets environment variables for all test files. `remove` is the teardown. */
module.exports = async () => {
  // One output folder for all CDK apps of a run. The CDK does not remove the output of an app.
  process.env.CDK_TEST_OUT = mkdtempSync(join(tmpdir(), 'cdk-test-'));
  // The CDK's template validation takes seconds; `findingsOf` enables it once per variant.
  process.env.CDK_VALIDATION = 'false';
};

module.exports.remove = async () => {
  rmSync(process.env.CDK_TEST_OUT, { recursive: true, force: true });
};
