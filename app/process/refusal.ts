import { type Config, ConfigError, environment } from '../config';

/** Exit code for what whoever starts the process must mend. */
const REFUSED = 2;

/** This process's configuration; what is wrong with it ends the process. */
export function readEnvironment(): Config {
  return readConfiguration(environment);
}

/** As that, for a process with a configuration of its own. */
export function readConfiguration<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ConfigError) return refuse(error.message);
    throw error;
  }
}

/** One line for each thing to mend, without a stack trace. */
export function refuse(lines: string): never {
  console.error(lines);
  process.exit(REFUSED);
}
