import { type Queryable, violates } from '../db';

export interface User {
  readonly id: string;
  readonly email: string;
}

/** Creates a user; returns undefined if the email address is taken. */
export async function createUser(db: Queryable, email: string, passwordHash: string): Promise<User | undefined> {
  try {
    const [user] = await db.query<User>(
      'INSERT INTO users (email, password_hash) VALUES ($1, $2) RETURNING id, email',
      [email, passwordHash],
    );
    return user;
  } catch (error) {
    if (violates(error, 'users_email_key')) return undefined;
    throw error;
  }
}

export async function findUserByEmail(
  db: Queryable,
  email: string,
): Promise<(User & { readonly passwordHash: string }) | undefined> {
  const [user] = await db.query<User & { passwordHash: string }>(
    'SELECT id, email, password_hash AS "passwordHash" FROM users WHERE email = $1',
    [email],
  );
  return user;
}
