const { readFileSync } = require('node:fs');

/** Imports that start programs: a database, a browser, an emulator, the command line, CDK. */
const STARTS_PROGRAMS =
  /from '(node:child_process|[./]+\/(support\/(browser|clone|command|deployment|needs|redis-group|shop|topology)|tools\/(cloudformation\/assembly|bench\/.+|.+command)))'/;

/** Whether a test file starts programs. All others are unit tests. */
exports.startsPrograms = (path) => STARTS_PROGRAMS.test(readFileSync(path, 'utf8'));
