import { html } from 'ghtml';
import type { PageContext, ProductList } from '../types';
import { type CatalogueView, catalogueUrl } from './catalogue-url';
import { capitalize, count } from './format';
import { layout } from './layout';
import { pagination } from './pagination';
import { productCard } from './product-card';

export interface HomePageProps {
  readonly list: ProductList;
  readonly categories: readonly string[];
  /** Category filter, one of `categories`. */
  readonly category?: string;
  /** Search text. */
  readonly q?: string;
  /** Products per page. */
  readonly pageSize: number;
}

/** The catalog: all products, a category, or search results. */
export function homePage(ctx: PageContext, { list, categories, category, q, pageSize }: HomePageProps): string {
  const view = { category: category || undefined, q: q || undefined };
  const pages = Math.ceil(list.total / pageSize);
  const heading = headline(view);
  const isFrontPage = !view.category && !view.q && list.page === 1;
  const title = isFrontPage ? undefined : list.page > 1 ? `${heading}, page ${list.page}` : heading;
  const main = html`!${isFrontPage ? hero : ''}
    <nav class="categories" aria-label="Categories">
      <ul>!${[undefined, ...categories].map((name) => categoryLink(name, view.category, view.q))}</ul>
    </nav>
    <section aria-labelledby="heading">
      <div class="heading">
        !${isFrontPage ? html`<h2 id="heading">${heading}</h2>` : html`<h1 id="heading">${heading}</h1>`}
        <p>${count(list.total, 'product')}!${pages > 1 && list.page <= pages ? html`, page ${list.page} of ${pages}` : ''}</p>
      </div>
      !${list.items.length > 0 ? html`<ul class="grid">!${list.items.map(productCard)}</ul>` : noProducts(list, view)}
    </section>
    !${list.items.length > 0 ? pagination(view, list.page, pages) : ''}`;
  return layout(ctx, { title, view }, main);
}

const hero = html`<div class="hero">
      <h1>Everyday things,<br>made to last.</h1>
      <p>For the kitchen, the table and the rest of the house: one good kettle, one good lamp, one good stool.</p>
    </div>`;

function headline({ category, q }: CatalogueView): string {
  if (!q) return capitalize(category ?? 'all products');
  return category ? `Results for “${q}” in ${capitalize(category)}` : `Results for “${q}”`;
}

function categoryLink(name: string | undefined, current: string | undefined, q: string | undefined): string {
  const state = name === current ? 'aria-current="page"' : '';
  return html`<li><a href="${catalogueUrl({ category: name, q })}" !${state}>${capitalize(name ?? 'all')}</a></li>`;
}

function noProducts(list: ProductList, { category, q }: CatalogueView): string {
  if (list.total > 0) {
    return html`<div class="empty"><p>There are no products on this page.</p><a class="button" href="${catalogueUrl({ category, q })}">Go to the first page</a></div>`;
  }
  const allCategories =
    category && q ? html`<a class="button" href="${catalogueUrl({ q })}">Search the whole shop</a>` : '';
  return html`<div class="empty"><p>No products found. Try a shorter search term.</p>!${allCategories}<a class="button quiet" href="/">See all products</a></div>`;
}
