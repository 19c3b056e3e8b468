import { type Connection, connect, type DatabaseClient, type DatabaseSettings } from '../data/db';
import { MoveError } from './errors';

/** `application_name` of the mover's sessions, which a pause does not terminate. */
export const MOVER = 'shop-move';

/**
 * Settings of the mover's sessions. Both servers must format values alike, and the read-only default of a paused source or a
 * closed target must not apply to the mover.
 */
const OPTIONS = Object.entries({
  default_transaction_read_only: 'off',
  TimeZone: 'UTC',
  DateStyle: 'ISO',
  IntervalStyle: 'postgres',
  extra_float_digits: '1',
  bytea_output: 'hex',
  statement_timeout: '0',
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  // Ends a long statement soon after its mover was killed.
  client_connection_check_interval: '1s',
})
  .map(([name, value]) => `-c ${name}=${value}`)
  .join(' ');

/** Adds the settings of the mover's sessions. */
export function asMover(settings: DatabaseSettings): DatabaseSettings {
  return { ...settings, options: OPTIONS };
}

/** Opens a session of the mover. The caller ends it. */
export function openSession(settings: DatabaseSettings): Promise<DatabaseClient> {
  return connect(asMover(settings), MOVER);
}

/**
 * Opens the session for source or target, with a lock that only one mover can hold.
 *
 * @param side name in error messages
 * @param locked error message if another mover holds the lock
 * @throws MoveError
 */
export async function openSide(settings: DatabaseSettings, side: string, locked: string): Promise<DatabaseClient> {
  const session = await openSession(settings).catch((error: Error) => {
    throw new MoveError(`cannot connect to the ${side}: ${error.message}`, { cause: error });
  });
  if (await lockForMove(session)) return session;
  await session.end();
  throw new MoveError(locked);
}

/** Closes the connection immediately; its queries fail, though they may still take effect. */
export function disconnect(session: DatabaseClient): void {
  (session as unknown as { readonly connection: Connection }).connection.stream.destroy();
}

/** Key of the advisory lock: arbitrary, and equal for source and target, so that a database cannot be moved to itself. */
const LOCK = 7_354_911_028;

/**
 * Takes the lock. A killed mover may hold it until its last statement ends.
 *
 * @returns whether the lock was acquired within 5 s
 */
async function lockForMove(session: DatabaseClient): Promise<boolean> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const { rows } = await session.query('SELECT pg_try_advisory_lock($1) AS taken', [LOCK]);
    if (rows[0].taken) return true;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  return false;
}
