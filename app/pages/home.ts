import { html } from 'ghtml';
import type { PageContext, ProductList } from '../types';
import { type CatalogueView, catalogueUrl } from './catalogue-url';
import { capitalised, count } from './format';
import { layout } from './layout';
import { pagination } from './pagination';
import { productCard } from './product-card';

export interface HomePageProps {
  readonly list: ProductList;
  readonly categories: readonly string[];
  /** Category that the list is narrowed to, one of `categories`. */
  readonly category?: string;
  /** Text that the visitor searched for. */
  readonly q?: string;
  /** Products on a full page of the list. */
  readonly pageSize: number;
}

/** The catalogue: all of it, a category, or what a search found. */
export function homePage(ctx: PageContext, { list, categories, category, q, pageSize }: HomePageProps): string {
  const view = { category: category || undefined, q: q || undefined };
  const pages = Math.ceil(list.total / pageSize);
  const heading = headline(view);
  const whole = !view.category && !view.q && list.page === 1;
  const title = whole ? undefined : list.page > 1 ? `${heading}, page ${list.page}` : heading;
  const main = html`!${whole ? hero : ''}
    <nav class="categories" aria-label="Categories">
      <ul>!${[undefined, ...categories].map((name) => categoryLink(name, view.category, view.q))}</ul>
    </nav>
    <section aria-labelledby="heading">
      <div class="heading">
        !${whole ? html`<h2 id="heading">${heading}</h2>` : html`<h1 id="heading">${heading}</h1>`}
        <p>${count(list.total, 'product')}!${pages > 1 && list.page <= pages ? html`, page ${list.page} of ${pages}` : ''}</p>
      </div>
      !${list.items.length > 0 ? html`<ul class="grid">!${list.items.map(productCard)}</ul>` : nothing(list, view)}
    </section>
    !${list.items.length > 0 ? pagination(view, list.page, pages) : ''}`;
  return layout(ctx, { title, view }, main);
}

const hero = html`<div class="hero">
      <h1>Everyday things,<br>made to be kept.</h1>
      <p>For the kitchen, the table and the rest of the house: one good kettle, one good lamp, one good stool.</p>
    </div>`;

function headline({ category, q }: CatalogueView): string {
  if (!q) return capitalised(category ?? 'everything');
  return category ? `Results for “${q}” in ${capitalised(category)}` : `Results for “${q}”`;
}

function categoryLink(name: string | undefined, current: string | undefined, q: string | undefined): string {
  const state = name === current ? 'aria-current="page"' : '';
  return html`<li><a href="${catalogueUrl({ category: name, q })}" !${state}>${capitalised(name ?? 'all')}</a></li>`;
}

function nothing(list: ProductList, { category, q }: CatalogueView): string {
  if (list.total > 0) {
    return html`<div class="empty"><p>This page is beyond the end of the list.</p><a class="button" href="${catalogueUrl({ category, q })}">Go to the first page</a></div>`;
  }
  const elsewhere =
    category && q ? html`<a class="button" href="${catalogueUrl({ q })}">Search the whole shop</a>` : '';
  return html`<div class="empty"><p>Nothing here matches. A shorter word may find more.</p>!${elsewhere}<a class="button quiet" href="/">See everything</a></div>`;
}
