const { mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');

/** Jest's global setup: environment of all test files. */
module.exports = async () => {
  // One output folder for the CDK apps of a run; the CDK would keep a folder per app.
  process.env.CDK_TEST_OUT = mkdtempSync(join(tmpdir(), 'cdk-test-'));
  // The CDK's template validation takes seconds; `findingsOf` enables it once per variant.
  process.env.CDK_VALIDATION = 'false';
};

module.exports.remove = async () => {
  rmSync(process.env.CDK_TEST_OUT, { recursive: true, force: true });
};
