import { html } from 'ghtml';

/** From this many pieces down the shop says how many are left. */
const FEW = 10;

/** Says that little or nothing is left; nothing at all when there is plenty. */
export function stockHint(stock: number): string {
  if (stock <= 0) return html`<span class="stock out">Sold out</span>`;
  if (stock <= FEW) return html`<span class="stock few">Only ${stock} left</span>`;
  return '';
}
