import { type Config, ConfigError, environment } from '../config';

/** Exit code of a usage or configuration error. */
const USAGE_ERROR = 2;

/** Reads this process's configuration. Exits with code 2 if it is invalid. */
export function readEnvironment(): Config {
  return readConfiguration(environment);
}

/** Like {@link readEnvironment}, with another reader of the configuration. */
export function readConfiguration<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ConfigError) return refuse(error.message);
    throw error;
  }
}

/** Prints the errors, one per line and without a stack trace, and exits with code 2. */
export function refuse(lines: string): never {
  console.error(lines);
  process.exit(USAGE_ERROR);
}
