import { html } from 'ghtml';

/** Maximum stock at which the remaining number is shown. */
const LOW_STOCK = 10;

/** Returns a hint for low or no stock, otherwise an empty string. */
export function stockHint(stock: number): string {
  if (stock <= 0) return html`<span class="stock out">Sold out</span>`;
  if (stock <= LOW_STOCK) return html`<span class="stock few">Only ${stock} left</span>`;
  return '';
}
