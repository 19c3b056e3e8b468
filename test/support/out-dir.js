const { mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');

/** Jest's global setup: creates one output folder for all CDK apps of a run. `remove` deletes it in the teardown. */
module.exports = async () => {
  process.env.CDK_TEST_OUT = mkdtempSync(join(tmpdir(), 'cdk-test-'));
};

module.exports.remove = async () => {
  rmSync(process.env.CDK_TEST_OUT, { recursive: true, force: true });
};
