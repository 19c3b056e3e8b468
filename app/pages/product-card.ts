import { html } from 'ghtml';
import type { Product } from '../types';
import { capitalize, formatMoney } from './format';
import { stockHint } from './stock';

/** A product of the grid. The alt text is empty, because the name is next to the picture. */
export function productCard({ id, name, category, priceCents, stock, imageUrl }: Product): string {
  return html`<li class="card">
      <a href="/products/${id}">
        <span class="picture"><img src="${imageUrl}" alt="" width="400" height="400" loading="lazy">!${stockHint(stock)}</span>
        <span class="name">${name}</span>
      </a>
      <p class="facts"><span>${capitalize(category)}</span> <span class="price">${formatMoney(priceCents)}</span></p>
      !${stock > 0 ? quickAdd(id, name) : ''}
    </li>`;
}

function quickAdd(id: number, name: string): string {
  return html`<form action="/cart/items" method="post">
        <input type="hidden" name="productId" value="${id}">
        <input type="hidden" name="quantity" value="1">
        <button class="quick" type="submit" title="Add to cart"><span aria-hidden="true">+</span><span class="unseen">Add ${name} to cart</span></button>
      </form>`;
}
