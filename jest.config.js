/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  transform: {
    '^.+\\.[cm]?[jt]s$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
  },
  transformIgnorePatterns: ['/node_modules/(?!(node-pg-migrate|fast-check|pure-rand)/)'],
  testTimeout: 60_000,
  // More than there are cores: much of the time of these tests is waiting for servers to drain.
  maxWorkers: '150%',
  reporters: ['default', '<rootDir>/test/support/skip-reporter.js'],
};
