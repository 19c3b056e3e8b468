/** Jest's global teardown. */
module.exports = require('./global-setup').remove;
