import type { Router } from 'express';
import { logIn, requireUser, signUp } from '../actions/accounts';
import { jsonBodies } from '../http/bodies';
import { validate } from '../http/validate';
import { endSession, openSession, readVisitor, SESSION_COOKIE } from '../sessions';
import type { Shop } from '../shop';
import { LogIn, SignUp } from './schemas';

export function accountRoutes(api: Router, shop: Shop): void {
  const session = openSession(shop.sessions);

  api.get('/me', readVisitor(shop.sessions), (request, response) => {
    response.json(requireUser(request));
  });

  const newAccount = validate({ body: SignUp });
  api.post('/signup', ...jsonBodies, newAccount, ...session, async (request, response) => {
    response.status(201).json(await signUp(request, shop.database, newAccount.of(response).body));
  });

  const credentials = validate({ body: LogIn });
  api.post('/login', ...jsonBodies, credentials, ...session, async (request, response) => {
    response.json(await logIn(request, shop.database, shop.loginLimit, credentials.of(response).body));
  });

  api.post('/logout', ...session, async (request, response) => {
    await endSession(request);
    response.clearCookie(SESSION_COOKIE).status(204).end();
  });
}
