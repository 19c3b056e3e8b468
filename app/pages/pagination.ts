import { html } from 'ghtml';
import { type CatalogueView, catalogueUrl } from './catalogue-url';

/** Links to the pages of a view; empty if there is only one page. */
export function pagination(view: CatalogueView, page: number, pages: number): string {
  if (pages <= 1) return '';
  const to = (target: number) => catalogueUrl({ ...view, page: target });
  const numbers = pageNumbers(page, pages).map((target) => {
    if (target === undefined) return html`<li class="gap" aria-hidden="true">…</li>`;
    const current = target === page ? 'aria-current="page"' : '';
    return html`<li><a class="number" href="${to(target)}" !${current}><span class="unseen">Page </span>${target}</a></li>`;
  });
  return html`<nav class="pages" aria-label="Pages">
      !${page > 1 ? html`<a rel="prev" href="${to(page - 1)}">← Previous</a>` : '<span></span>'}
      <ol>!${numbers}</ol>
      !${page < pages ? html`<a rel="next" href="${to(page + 1)}">Next →</a>` : '<span></span>'}
    </nav>`;
}

/** Returns the first, the last, and the pages around the current one; `undefined` marks a gap. */
function pageNumbers(page: number, pages: number): (number | undefined)[] {
  const shown = [1, page - 1, page, page + 1, pages].filter((n) => n >= 1 && n <= pages);
  const sorted = [...new Set(shown)].sort((a, b) => a - b);
  return sorted.flatMap((n, i) => {
    const gap = n - (sorted[i - 1] ?? n - 1);
    if (gap === 2) return [n - 1, n];
    return gap > 2 ? [undefined, n] : [n];
  });
}
