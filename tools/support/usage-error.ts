/**
 * Bad input from the person at the terminal: told in one line without a stack, exit code 2. The message names what was
 * given, its value, and what is allowed.
 */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
