const { startsPrograms } = require('./starts-programs');

/** Jest's `--filter` for `npm run test:unit`: only files that start no programs. */
module.exports = (paths) => ({ filtered: paths.filter((path) => !startsPrograms(path)) });
