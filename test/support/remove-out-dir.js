/** Jest's global teardown. */
module.exports = require('./out-dir').remove;
