import { type Connection, connect, type DatabaseClient, type DatabaseSettings } from '../data/db';
import { MoveError } from './errors';

/** What PostgreSQL shows as the application of the mover's sessions; a pause of the writes leaves them alone. */
export const MOVER = 'shop-move';

/**
 * Both sides must write a value in the same way, and neither's defaults may stop the mover: the source and, until it is
 * opened, the target let others only read.
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
  // A long statement ends soon after its mover was killed.
  client_connection_check_interval: '1s',
})
  .map(([name, value]) => `-c ${name}=${value}`)
  .join(' ');

/** The settings of a database, with what the mover's sessions need on top. */
export function asMover(settings: DatabaseSettings): DatabaseSettings {
  return { ...settings, options: OPTIONS };
}

/** A session of the mover's; the caller ends it. */
export function openSession(settings: DatabaseSettings): Promise<DatabaseClient> {
  return connect(asMover(settings), MOVER);
}

/**
 * The session that a side of the move is worked on with: only one mover at a time has it.
 *
 * @param side what messages call it
 * @param taken what another mover at it means
 * @throws MoveError
 */
export async function openSide(settings: DatabaseSettings, side: string, taken: string): Promise<DatabaseClient> {
  const session = await openSession(settings).catch((error: Error) => {
    throw new MoveError(`the ${side} does not let the mover in: ${error.message}`, { cause: error });
  });
  if (await lockForMove(session)) return session;
  await session.end();
  throw new MoveError(taken);
}

/** Ends a session at once, whatever it does. */
export function cutOff(session: DatabaseClient): void {
  (session as unknown as { readonly connection: Connection }).connection.stream.destroy();
}

/** Any number; the same on both sides, so that a database cannot be moved into itself. */
const LOCK = 7_354_911_028;

/**
 * Takes what only one mover at a time can have. A mover that was killed may hold it until its last statement has ended.
 *
 * @returns whether it was free within five seconds
 */
async function lockForMove(session: DatabaseClient): Promise<boolean> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const { rows } = await session.query('SELECT pg_try_advisory_lock($1) AS taken', [LOCK]);
    if (rows[0].taken) return true;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  return false;
}
