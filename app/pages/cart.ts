import { html } from 'ghtml';
import type { Cart, CartItem, PageContext } from '../types';
import { formatMoney } from './format';
import { layout } from './layout';
import { lines } from './lines';

export interface CartPageProps {
  readonly cart: Cart;
  /** Goes with the order, so that sending the form twice makes one order. */
  readonly idempotencyKey: string;
  /** What just happened, or why it did not. */
  readonly notice?: string;
}

/** The cart, and the way to the order: for a visitor who is logged in a button, for others the log-in first. */
export function cartPage(ctx: PageContext, { cart, idempotencyKey, notice }: CartPageProps): string {
  const pieces = cart.items.reduce((sum, { quantity }) => sum + quantity, 0);
  const main = html`<h1>Your cart</h1>
    !${notice ? html`<p class="notice" role="status">${notice}</p>` : ''}
    !${
      cart.items.length === 0
        ? empty
        : html`<div class="checkout">
      !${lines(ctx, cart.items, removeButton)}
      <aside class="summary" aria-labelledby="summary">
        <h2 id="summary">Summary</h2>
        <dl><div><dt>Pieces</dt><dd>${pieces}</dd></div><div class="total"><dt>Total</dt><dd>${formatMoney(cart.totalCents)}</dd></div></dl>
        !${ctx.userEmail === undefined ? logInFirst : placeOrder(idempotencyKey)}
      </aside>
    </div>`
    }`;
  return layout(ctx, { title: 'Your cart' }, main);
}

const empty = html`<div class="empty"><p>There is nothing in it yet.</p><a class="button" href="/">Look around the shop</a></div>`;

const logInFirst = html`<a class="button" href="/login?next=/cart">Log in to check out</a>
        <p class="hint">New here? <a href="/login?mode=signup&#38;next=/cart">Create an account</a>; what is in the cart stays in it.</p>`;

function placeOrder(idempotencyKey: string): string {
  return html`<form action="/orders" method="post">
          <input type="hidden" name="idempotencyKey" value="${idempotencyKey}">
          <button class="button" type="submit">Place order</button>
        </form>
        <p class="hint">Pressing it twice still makes one order.</p>`;
}

function removeButton({ productId, name }: CartItem): string {
  return html`<form class="remove" action="/cart/items/${productId}/remove" method="post"><button class="link" type="submit">Remove<span class="unseen"> ${name}</span></button></form>`;
}
