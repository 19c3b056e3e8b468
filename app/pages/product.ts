import { html } from 'ghtml';
import { MAX_QUANTITY } from '../limits';
import type { PageContext, Product } from '../types';
import { catalogueUrl } from './catalogue-url';
import { capitalize, formatMoney } from './format';
import { layout } from './layout';
import { stockHint } from './stock';

/** A product, with a form that adds it to the cart if it is in stock. */
export function productPage(ctx: PageContext, { product }: { readonly product: Product }): string {
  const { name, description, category, priceCents, stock, imageUrl } = product;
  const main = html`<nav class="trail" aria-label="Breadcrumb">
      <ol><li><a href="/">All</a></li><li><a href="${catalogueUrl({ category })}">${capitalize(category)}</a></li><li aria-current="page">${name}</li></ol>
    </nav>
    <article class="product">
      <img class="portrait" src="${imageUrl}" alt="${name}" width="400" height="400" fetchpriority="high">
      <div class="about">
        <h1>${name}</h1>
        <p class="price">${formatMoney(priceCents)}</p>
        <p class="lead">${description}</p>
        !${stock > 0 ? buy(product) : soldOut(category)}
      </div>
    </article>`;
  return layout(ctx, { title: name, description }, main);
}

function buy({ id, stock }: Product): string {
  return html`<form class="buy" action="/cart/items" method="post">
          <input type="hidden" name="productId" value="${id}">
          <div class="field">
            <label for="quantity">Quantity</label>
            <input id="quantity" type="number" name="quantity" value="1" min="1" max="${Math.min(stock, MAX_QUANTITY)}" step="1" inputmode="numeric" required>
          </div>
          <button class="button" type="submit">Add to cart</button>
        </form>
        <p class="hint">!${stockHint(stock) || '<span class="stock">In stock</span>'}</p>`;
}

function soldOut(category: string): string {
  return html`<p class="hint">!${stockHint(0)}</p>
        <p><a class="button quiet" href="${catalogueUrl({ category })}">More in ${capitalize(category)}</a></p>`;
}
