/**
 * Invalid user input. The command line prints the message in one line, without a stack trace, and exits with code 2. The message
 * names the option, the allowed values, and the actual value.
 */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
