const { usesRealParts } = require('./real-parts');

/** Jest's `--filter` of `npm run test:unit`. */
module.exports = (paths) => ({ filtered: paths.filter((path) => !usesRealParts(path)) });
