const { mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');

/** Jest's global set-up: one folder for the output of all CDK apps of a run, and its removal at the end. */
module.exports = async () => {
  process.env.CDK_TEST_OUT = mkdtempSync(join(tmpdir(), 'cdk-test-'));
};

module.exports.remove = async () => {
  rmSync(process.env.CDK_TEST_OUT, { recursive: true, force: true });
};
