const { usesRealParts } = require('./real-parts');

/** Jest's `--filter` for `npm run test:unit`: only files that start no programs. */
module.exports = (paths) => ({ filtered: paths.filter((path) => !usesRealParts(path)) });
