/**
 * A setting on the command line of the CDK that the app cannot use. `bin/shop.ts` prints its message, which is one line, and
 * exits with code 2.
 */
export class SettingError extends Error {
  override readonly name = 'SettingError';
}
