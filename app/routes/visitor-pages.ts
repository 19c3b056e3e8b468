import { randomUUID } from 'node:crypto';
import type { Request, Response, Router } from 'express';
import { logIn, signUp } from '../actions/accounts';
import { addToCart, cartOf, removeFromCart } from '../actions/cart';
import { placeOrder } from '../actions/orders';
import { listOrders } from '../data/repositories/orders';
import { ShopError } from '../errors';
import { formBodies } from '../http/bodies';
import { validate, validated } from '../http/validate';
import { cartPage, loginPage, orderPage, ordersPage } from '../pages';
import { endSession, openSession, readVisitor, SESSION_COOKIE } from '../sessions';
import type { Shop } from '../shop';
import { ownOrder, SHOWN_ORDERS } from './orders';
import { ownContext, sendPage } from './page-context';
import {
  ItemParams,
  LogInForm,
  LoginQuery,
  NEXT_PATH,
  NewItemForm,
  NewOrderForm,
  OrderParams,
  OrderQuery,
  SignUpForm,
} from './schemas';

/** A visitor's own pages, and the forms of all pages. They call the same actions as the API. */
export function visitorPages(pages: Router, shop: Shop): void {
  cartPages(pages, shop);
  accountPages(pages, shop);
  orderPages(pages, shop);
}

function cartPages(pages: Router, shop: Shop): void {
  const visitor = readVisitor(shop.sessions);

  pages.get('/cart', visitor, async (request, response) => {
    await sendCart(shop, request, response);
  });

  const newItem = validate({ body: NewItemForm });
  pages.post('/cart/items', ...formBodies, newItem, ...openSession(shop.sessions), async (request, response) => {
    try {
      await addToCart(request, shop.database, newItem.of(response).body);
    } catch (error) {
      return sendCart(shop, request, response, conflict(error));
    }
    response.redirect(303, '/cart');
  });

  const item = validate({ params: ItemParams });
  pages.post('/cart/items/:productId/remove', item, visitor, async (request, response) => {
    await removeFromCart(request, shop.database, item.of(response).params.productId);
    response.redirect(303, '/cart');
  });
}

function accountPages(pages: Router, shop: Shop): void {
  const session = openSession(shop.sessions);

  const login = validate({ query: LoginQuery });
  pages.get('/login', login, readVisitor(shop.sessions), async (request, response) => {
    const { mode, next } = login.of(response).query;
    if (request.visitor.userId !== undefined) return response.redirect(303, next || '/');
    sendPage(response, loginPage(await ownContext(shop, request), { mode, next: next || undefined }));
  });

  pages.post('/login', ...formBodies, ...session, (request, response) =>
    submit(shop, request, response, 'login', async () => {
      const { next, ...credentials } = accountForm(LogInForm, request, 'login');
      await logIn(request, shop.database, shop.loginLimit, credentials);
      return next;
    }),
  );

  pages.post('/signup', ...formBodies, ...session, (request, response) =>
    submit(shop, request, response, 'signup', async () => {
      const { next, ...credentials } = accountForm(SignUpForm, request, 'signup');
      await signUp(request, shop.database, credentials);
      return next;
    }),
  );

  pages.post('/logout', ...session, async (request, response) => {
    await endSession(request);
    response.clearCookie(SESSION_COOKIE).redirect(303, '/');
  });
}

const FIELD_HINT = {
  login: 'Please give your email address and your password.',
  signup: 'Please give a valid email address and a password of 8 to 200 characters.',
};

/** @throws ShopError 400 with a hint for the form */
function accountForm(schema: typeof LogInForm | typeof SignUpForm, request: Request, mode: 'login' | 'signup') {
  try {
    return validated(schema, request, 'body');
  } catch {
    throw new ShopError(400, 'invalid_request', FIELD_HINT[mode]);
  }
}

/**
 * Logs the visitor in and redirects to the next page, or shows the form again with the reason.
 *
 * @param enter returns the path of the next page
 */
async function submit(
  shop: Shop,
  request: Request,
  response: Response,
  mode: 'login' | 'signup',
  enter: () => Promise<string | undefined>,
): Promise<void> {
  try {
    response.redirect(303, (await enter()) || '/');
  } catch (error) {
    if (!(error instanceof ShopError) || error.statusCode >= 500) throw error;
    if (error.retryAfter !== undefined) response.set('Retry-After', String(error.retryAfter));
    const { email, next } = enteredFields(request.body);
    const context = await ownContext(shop, request);
    sendPage(response.status(error.statusCode), loginPage(context, { mode, email, next, error: error.message }));
  }
}

/** Returns the fields to show again. The form may contain anything. */
function enteredFields(body: unknown): { email?: string; next?: string } {
  const { email, next } = (body ?? {}) as Record<string, unknown>;
  return {
    ...(typeof email === 'string' && { email: email.slice(0, 254) }),
    ...(typeof next === 'string' && new RegExp(NEXT_PATH).test(next) && { next }),
  };
}

function orderPages(pages: Router, shop: Shop): void {
  const visitor = readVisitor(shop.sessions);

  const newOrder = validate({ body: NewOrderForm });
  pages.post('/orders', ...formBodies, newOrder, visitor, async (request, response) => {
    const { userId } = request.visitor;
    if (userId === undefined) return response.redirect(303, '/login?next=/cart');
    try {
      const { id, replayed } = await placeOrder(shop.database, userId, newOrder.of(response).body.idempotencyKey);
      if (!replayed) shop.onOrder();
      response.redirect(303, `/orders/${id}?placed=true`);
    } catch (error) {
      await sendCart(shop, request, response, conflict(error));
    }
  });

  pages.get('/orders', visitor, async (request, response) => {
    const { userId } = request.visitor;
    if (userId === undefined) return response.redirect(303, '/login?next=/orders');
    const orders = await listOrders(shop.reader(request), userId, SHOWN_ORDERS);
    sendPage(response, ordersPage(await ownContext(shop, request), { orders }));
  });

  const shown = validate({ params: OrderParams, query: OrderQuery });
  pages.get('/orders/:id', shown, visitor, async (request, response) => {
    const { params, query } = shown.of(response);
    if (request.visitor.userId === undefined) {
      return response.redirect(303, `/login?next=/orders/${encodeURIComponent(params.id)}`);
    }
    const order = await ownOrder(shop, request, params.id);
    const context = await ownContext(shop, request);
    sendPage(response, orderPage(context, { order, justPlaced: query.placed === true }));
  });
}

/** Returns an error that the visitor can correct on the cart page. Rethrows any other. */
function conflict(error: unknown): ShopError {
  if (error instanceof ShopError && error.statusCode === 409) return error;
  throw error;
}

async function sendCart(shop: Shop, request: Request, response: Response, problem?: ShopError): Promise<void> {
  if (problem) response.status(problem.statusCode);
  const cart = await cartOf(request, shop.reader(request));
  const context = await ownContext(shop, request);
  sendPage(response, cartPage(context, { cart, idempotencyKey: randomUUID(), notice: problem?.message }));
}
