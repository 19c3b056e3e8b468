import { html } from 'ghtml';
import type { Cart, CartItem, PageContext } from '../types';
import { formatMoney } from './format';
import { layout } from './layout';
import { lines } from './lines';

export interface CartPageProps {
  readonly cart: Cart;
  /** Sent with the order, so that submitting the form twice places one order. */
  readonly idempotencyKey: string;
  /** Result of the previous action. */
  readonly notice?: string;
}

/** The cart, with an order button for a logged-in visitor and a login link for others. */
export function cartPage(ctx: PageContext, { cart, idempotencyKey, notice }: CartPageProps): string {
  const itemCount = cart.items.reduce((sum, { quantity }) => sum + quantity, 0);
  const main = html`<h1>Your cart</h1>
    !${notice ? html`<p class="notice" role="status">${notice}</p>` : ''}
    !${
      cart.items.length === 0
        ? empty
        : html`<div class="checkout">
      !${lines(ctx, cart.items, removeButton)}
      <aside class="summary" aria-labelledby="summary">
        <h2 id="summary">Summary</h2>
        <dl><div><dt>Items</dt><dd>${itemCount}</dd></div><div class="total"><dt>Total</dt><dd>${formatMoney(cart.totalCents)}</dd></div></dl>
        !${ctx.userEmail === undefined ? logInFirst : placeOrder(idempotencyKey)}
      </aside>
    </div>`
    }`;
  return layout(ctx, { title: 'Your cart' }, main);
}

const empty = html`<div class="empty"><p>Your cart is empty.</p><a class="button" href="/">Browse the shop</a></div>`;

const logInFirst = html`<a class="button" href="/login?next=/cart">Log in to check out</a>
        <p class="hint">New here? <a href="/login?mode=signup&#38;next=/cart">Create an account</a>. Your cart is kept.</p>`;

function placeOrder(idempotencyKey: string): string {
  return html`<form action="/orders" method="post">
          <input type="hidden" name="idempotencyKey" value="${idempotencyKey}">
          <button class="button" type="submit">Place order</button>
        </form>
        <p class="hint">Double-clicking won't order twice.</p>`;
}

function removeButton({ productId, name }: CartItem): string {
  return html`<form class="remove" action="/cart/items/${productId}/remove" method="post"><button class="link" type="submit">Remove<span class="unseen"> ${name}</span></button></form>`;
}
