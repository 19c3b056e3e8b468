import { html } from 'ghtml';
import type { CartItem, PageContext } from '../types';
import { formatMoney } from './format';

/** The lines of a cart or an order. `action` returns HTML to append to a line. */
export function lines(
  ctx: PageContext,
  items: readonly CartItem[],
  action: (item: CartItem) => string = () => '',
): string {
  return html`<ul class="lines">!${items.map((item) => line(ctx, item, action(item)))}</ul>`;
}

function line(ctx: PageContext, { productId, name, quantity, priceCents }: CartItem, action: string): string {
  const picture = ctx.imageOf(productId);
  return html`<li>
      !${picture === undefined ? '<span class="thumb"></span>' : html`<img class="thumb" src="${ctx.asset(picture)}" alt="" width="88" height="88" loading="lazy">`}
      <div class="what"><a href="/products/${productId}">${name}</a><p>${quantity} × ${formatMoney(priceCents)}</p></div>
      <div class="ends"><p class="sum">${formatMoney(quantity * priceCents)}</p>!${action}</div>
    </li>`;
}
