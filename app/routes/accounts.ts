import { Type } from '@sinclair/typebox';
import { logIn, logOut, requireUser, signUp } from '../actions/accounts';
import type { App } from '../http/fastify';
import { SESSION_COOKIE } from '../sessions';
import type { Shop } from '../shop';

/** Whatever was accepted at sign-up must be accepted here. */
export const LogIn = Type.Object(
  {
    email: Type.String({ minLength: 1, maxLength: 254 }),
    password: Type.String({ minLength: 1, maxLength: 200 }),
  },
  { additionalProperties: false },
);

/** Length is what makes a password strong. */
export const SignUp = Type.Object(
  {
    email: Type.String({ maxLength: 254, pattern: '^\\s*[^\\s@]+@[^\\s@]+\\.[^\\s@]+\\s*$' }),
    password: Type.String({ minLength: 8, maxLength: 200 }),
  },
  { additionalProperties: false },
);

export function accountRoutes(app: App, shop: Shop): void {
  app.post('/api/signup', { schema: { body: SignUp } }, async (request, reply) => {
    const user = await signUp(request, shop.database, request.body);
    return reply.code(201).send(user);
  });

  app.post('/api/login', { schema: { body: LogIn } }, async (request) =>
    logIn(request, shop.database, shop.loginLimit, request.body),
  );

  app.post('/api/logout', async (request, reply) => {
    await logOut(request);
    return reply.clearCookie(SESSION_COOKIE, { path: '/' }).code(204).send();
  });

  app.get('/api/me', async (request) => requireUser(request));
}
