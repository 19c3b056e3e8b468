import type { Request } from 'express';
import type { LoginLimit } from '../accounts/login-limit';
import { hashPassword, verifyPassword } from '../accounts/passwords';
import type { Database } from '../data/db';
import { cartOfUser, mergeCart } from '../data/repositories/carts';
import { createUser, findUserByEmail, type User } from '../data/repositories/users';
import { ShopError } from '../errors';
import { startSession } from '../sessions';

export interface Credentials {
  readonly email: string;
  readonly password: string;
}

/** @throws ShopError 409 if the address has an account */
export async function signUp(request: Request, database: Database, credentials: Credentials): Promise<User> {
  const passwordHash = await hashPassword(credentials.password);
  const user = await createUser(database, normal(credentials.email), passwordHash);
  if (!user) throw new ShopError(409, 'email_taken', 'There is an account with this email address. Log in instead.');
  await enter(request, database, user);
  return user;
}

/** @throws ShopError 401 for a wrong address or password, without saying which; 429 after too many failures */
export async function logIn(
  request: Request,
  database: Database,
  limit: LoginLimit,
  credentials: Credentials,
): Promise<User> {
  const email = normal(credentials.email);
  const found = await limit.guard(email, request.ip ?? '', async () => {
    const user = await findUserByEmail(database, email);
    return (await verifyPassword(credentials.password, user?.passwordHash)) ? user : undefined;
  });
  if (!found) throw new ShopError(401, 'wrong_credentials', 'Email address or password is wrong.');
  const user = { id: found.id, email: found.email };
  await enter(request, database, user);
  return user;
}

/** @throws ShopError 401 */
export function requireUser(request: Request): User {
  const { userId, email } = request.visitor;
  if (userId === undefined || email === undefined) {
    throw new ShopError(401, 'login_required', 'Please log in first.');
  }
  return { id: userId, email };
}

/** Starts the user's session. The visitor's cart is merged into the user's. */
async function enter(request: Request, database: Database, user: User): Promise<void> {
  const { cartId: visitorCart } = request.visitor;
  const cartId = await database.transaction(async (tx) => {
    const userCart = await cartOfUser(tx, user.id);
    if (visitorCart !== undefined) await mergeCart(tx, visitorCart, userCart);
    return userCart;
  });
  await startSession(request, { userId: user.id, email: user.email, cartId });
}

function normal(email: string): string {
  return email.trim().toLowerCase();
}
