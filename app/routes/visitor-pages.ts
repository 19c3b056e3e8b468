import { randomUUID } from 'node:crypto';
import forms from '@fastify/formbody';
import { Type } from '@sinclair/typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { logIn, logOut, signUp } from '../actions/accounts';
import { addToCart, cartOf, removeFromCart } from '../actions/cart';
import { placeOrder } from '../actions/orders';
import { listOrders } from '../data/repositories/orders';
import { ShopError } from '../errors';
import type { App } from '../http/fastify';
import { compileValidators } from '../http/validation';
import { cartPage, loginPage, orderPage, ordersPage } from '../pages';
import { SESSION_COOKIE } from '../sessions';
import type { Shop } from '../shop';
import { LogIn, SignUp } from './accounts';
import { ItemParams, NewItem } from './cart';
import { IdempotencyKey, OrderParams, ownOrder, SHOWN_ORDERS } from './orders';
import { ownContext, sendPage } from './page-context';

/** Pages that are one visitor's own, and what the forms on all pages do: the API's actions, answered with pages. */
export function visitorPages(app: App, shop: Shop): void {
  app.register(async (scope: App) => {
    scope.register(forms);
    scope.setValidatorCompiler(compileValidators(true));
    cartPages(scope, shop);
    accountPages(scope, shop);
    orderPages(scope, shop);
  });
}

function cartPages(app: App, shop: Shop): void {
  app.get('/cart', async (request, reply) => sendCart(shop, request, reply));

  app.post('/cart/items', { schema: { body: NewItem } }, async (request, reply) => {
    try {
      await addToCart(request, shop.database, request.body);
    } catch (error) {
      return sendCart(shop, request, reply, conflict(error));
    }
    return reply.redirect('/cart', 303);
  });

  app.post('/cart/items/:productId/remove', { schema: { params: ItemParams } }, async (request, reply) => {
    await removeFromCart(request, shop.database, request.params.productId);
    return reply.redirect('/cart', 303);
  });
}

/** Where to go after the log-in: a path of this shop, or a link could lead visitors elsewhere. */
const Next = Type.Optional(Type.String({ maxLength: 200, pattern: '^(|/|/[^/\\\\\\s][^\\\\\\s]*)$' }));

const LoginQuery = Type.Object({
  mode: Type.Optional(Type.Union([Type.Literal('login'), Type.Literal('signup')])),
  next: Next,
});

const LogInForm = Type.Object({ ...LogIn.properties, next: Next }, { additionalProperties: false });
const SignUpForm = Type.Object({ ...SignUp.properties, next: Next }, { additionalProperties: false });

function accountPages(app: App, shop: Shop): void {
  app.get('/login', { schema: { querystring: LoginQuery } }, async (request, reply) => {
    const { mode, next } = request.query;
    if (request.session.userId !== undefined) return reply.redirect(next || '/', 303);
    return sendPage(reply, loginPage(await ownContext(shop, request), { mode, next: next || undefined }));
  });

  // attachValidation: what is wrong with a field is said on the form, and not on an error page.
  app.post('/login', { schema: { body: LogInForm }, attachValidation: true }, (request, reply) =>
    submit(shop, request, reply, 'login', async ({ email, password }) => {
      await logIn(request, shop.database, shop.loginLimit, { email, password });
    }),
  );

  app.post('/signup', { schema: { body: SignUpForm }, attachValidation: true }, (request, reply) =>
    submit(shop, request, reply, 'signup', async ({ email, password }) => {
      await signUp(request, shop.database, { email, password });
    }),
  );

  app.post('/logout', async (request, reply) => {
    await logOut(request);
    return reply.clearCookie(SESSION_COOKIE, { path: '/' }).redirect('/', 303);
  });
}

interface AccountForm {
  readonly email: string;
  readonly password: string;
  readonly next?: string | undefined;
}

const FIELD_HINT = {
  login: 'Please give your e-mail address and your password.',
  signup: 'Please give a valid e-mail address and a password of 8 to 200 characters.',
};

/** Enters the shop and goes on, or shows the form again with the reason. */
async function submit(
  shop: Shop,
  request: FastifyRequest,
  reply: FastifyReply,
  mode: 'login' | 'signup',
  enter: (form: AccountForm) => Promise<void>,
): Promise<FastifyReply> {
  try {
    if (request.validationError) throw new ShopError(400, 'invalid_request', FIELD_HINT[mode]);
    const form = request.body as AccountForm;
    await enter(form);
    return reply.redirect(form.next || '/', 303);
  } catch (error) {
    if (!(error instanceof ShopError) || error.statusCode >= 500) throw error;
    if (error.retryAfter !== undefined) reply.header('retry-after', error.retryAfter);
    reply.code(error.statusCode);
    const { email, next } = typed(request.body);
    const context = await ownContext(shop, request);
    return sendPage(reply, loginPage(context, { mode, email, next, error: error.message }));
  }
}

/** What to fill in again; the form may hold anything. */
function typed(body: unknown): { email?: string; next?: string } {
  const { email, next } = (body ?? {}) as Record<string, unknown>;
  return {
    ...(typeof email === 'string' && { email: email.slice(0, 254) }),
    ...(typeof next === 'string' && new RegExp(Next.pattern as string).test(next) && { next }),
  };
}

const NewOrder = Type.Object({ idempotencyKey: IdempotencyKey }, { additionalProperties: false });

const OrderPageQuery = Type.Object({ placed: Type.Optional(Type.Boolean()) });

function orderPages(app: App, shop: Shop): void {
  app.post('/orders', { schema: { body: NewOrder } }, async (request, reply) => {
    const { userId } = request.session;
    if (userId === undefined) return reply.redirect('/login?next=/cart', 303);
    try {
      const { id, replayed } = await placeOrder(shop.database, userId, request.body.idempotencyKey);
      if (!replayed) shop.onOrder();
      return reply.redirect(`/orders/${id}?placed=true`, 303);
    } catch (error) {
      return sendCart(shop, request, reply, conflict(error));
    }
  });

  app.get('/orders', async (request, reply) => {
    if (request.session.userId === undefined) return reply.redirect('/login?next=/orders', 303);
    const orders = await listOrders(shop.reader(request), request.session.userId, SHOWN_ORDERS);
    return sendPage(reply, ordersPage(await ownContext(shop, request), { orders }));
  });

  app.get('/orders/:id', { schema: { params: OrderParams, querystring: OrderPageQuery } }, async (request, reply) => {
    const { id } = request.params;
    if (request.session.userId === undefined)
      return reply.redirect(`/login?next=/orders/${encodeURIComponent(id)}`, 303);
    const order = await ownOrder(shop, request, id);
    const justPlaced = request.query.placed === true;
    return sendPage(reply, orderPage(await ownContext(shop, request), { order, justPlaced }));
  });
}

/** What the visitor can mend on the cart's own page; anything else is thrown again. */
function conflict(error: unknown): ShopError {
  if (error instanceof ShopError && error.statusCode === 409) return error;
  throw error;
}

async function sendCart(
  shop: Shop,
  request: FastifyRequest,
  reply: FastifyReply,
  problem?: ShopError,
): Promise<FastifyReply> {
  if (problem) reply.code(problem.statusCode);
  const cart = await cartOf(request, shop.reader(request));
  const context = await ownContext(shop, request);
  return sendPage(reply, cartPage(context, { cart, idempotencyKey: randomUUID(), notice: problem?.message }));
}
