const { readFileSync } = require('node:fs');

/** What tests import that starts programs: a database, a browser, an emulator, the command line, the CLI of CDK. */
const STARTS_PROGRAMS =
  /from '(node:child_process|[./]+\/(support\/(browser|clone|command|deployment|needs|redis-group|shop|topology)|tools\/(cloudformation\/assembly|bench\/.+|.+command)))'/;

/** Whether the tests of a file use real parts; the others are the unit part. */
exports.usesRealParts = (path) => STARTS_PROGRAMS.test(readFileSync(path, 'utf8'));
