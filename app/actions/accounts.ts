import type { FastifyRequest } from 'fastify';
import type { LoginLimit } from '../accounts/login-limit';
import { hashPassword, verifyPassword } from '../accounts/passwords';
import type { Database } from '../data/db';
import { cartOfUser, mergeCart } from '../data/repositories/carts';
import { createUser, findUserByEmail, type User } from '../data/repositories/users';
import { ShopError } from '../errors';
import { establish } from '../sessions';

export interface Credentials {
  readonly email: string;
  readonly password: string;
}

/** @throws ShopError 409 when the address has an account */
export async function signUp(request: FastifyRequest, database: Database, credentials: Credentials): Promise<User> {
  const passwordHash = await hashPassword(credentials.password);
  const user = await createUser(database, normal(credentials.email), passwordHash);
  if (!user) throw new ShopError(409, 'email_taken', 'There is an account with this e-mail address. Log in instead.');
  await enter(request, database, user);
  return user;
}

/** @throws ShopError 401 when address or password is wrong (which of them is not told), 429 after too many of these */
export async function logIn(
  request: FastifyRequest,
  database: Database,
  limit: LoginLimit,
  credentials: Credentials,
): Promise<User> {
  const email = normal(credentials.email);
  const found = await limit.guard(email, request.ip, async () => {
    const user = await findUserByEmail(database, email);
    return (await verifyPassword(credentials.password, user?.passwordHash)) ? user : undefined;
  });
  if (!found) throw new ShopError(401, 'wrong_credentials', 'E-mail address or password is wrong.');
  const user = { id: found.id, email: found.email };
  await enter(request, database, user);
  return user;
}

/** Ends the session on the server, so that a copy of its cookie is worth nothing. */
export async function logOut(request: FastifyRequest): Promise<void> {
  await request.session.destroy();
}

/** @throws ShopError 401 */
export function requireUser(request: FastifyRequest): User {
  const { userId, email } = request.session;
  if (userId === undefined || email === undefined) {
    throw new ShopError(401, 'login_required', 'Please log in first.');
  }
  return { id: userId, email };
}

/** What the visitor had put into the cart comes along. */
async function enter(request: FastifyRequest, database: Database, user: User): Promise<void> {
  const { cartId: visitorCart } = request.session;
  const cartId = await database.transaction(async (tx) => {
    const userCart = await cartOfUser(tx, user.id);
    if (visitorCart !== undefined) await mergeCart(tx, visitorCart, userCart);
    return userCart;
  });
  await establish(request, { userId: user.id, email: user.email, cartId });
}

function normal(email: string): string {
  return email.trim().toLowerCase();
}
