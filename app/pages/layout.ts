import { html } from 'ghtml';
import type { PageContext } from '../types';
import type { CatalogueView } from './catalogue-url';
import { capitalize, count } from './format';
import { servedBy } from './served-by';

export const SHOP = 'Tenfold';

export interface LayoutProps {
  /** Page title without the name of the shop; absent on the front page. */
  readonly title?: string;
  /** Meta description, one sentence. */
  readonly description?: string;
  /** Initial state of the search form. Default: the unfiltered catalog. */
  readonly view?: CatalogueView;
}

/** Returns a complete document. `main` is HTML and not escaped. */
export function layout(ctx: PageContext, { title, description, view = {} }: LayoutProps, main: string): string {
  return html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>${title === undefined ? `${SHOP}: everyday things, made to last` : `${title} · ${SHOP}`}</title>
  <meta name="description" content="${description ?? 'Kitchen, table, home, bath, desk and garden: everyday things, made to last.'}">
  <meta name="color-scheme" content="light dark">
  <link rel="icon" type="image/svg+xml" href="${ctx.asset('favicon.svg')}">
  <link rel="stylesheet" href="${ctx.asset('shop.css')}">
</head>
<body>
  <a class="skip" href="#main">Skip to content</a>
  <header class="masthead">
    <div class="wrap">
      <a class="brand" href="/"><img src="${ctx.asset('favicon.svg')}" alt="" width="32" height="32">${SHOP}</a>
      !${search(view)}
      !${account(ctx)}
    </div>
  </header>
  <main id="main" class="wrap" tabindex="-1">
    !${main}
  </main>
  <footer class="colophon">
    <div class="wrap">
      <p>${SHOP} is a demo of a shop that scales. Orders are neither charged nor shipped.</p>
      !${servedBy(ctx.served)}
    </div>
  </footer>
</body>
</html>
`;
}

function search({ category, q }: CatalogueView): string {
  const where = category === undefined ? 'the shop' : capitalize(category);
  return html`<form class="search" action="/" method="get" role="search">
        <label class="unseen" for="search">Search ${where}</label>
        <input id="search" type="search" name="q" value="${q}" placeholder="Search ${where}" maxlength="100" autocomplete="off">
        !${category === undefined ? '' : html`<input type="hidden" name="category" value="${category}">`}
        <button type="submit">Search</button>
      </form>`;
}

function account({ userEmail, cartCount }: PageContext): string {
  const badge = cartCount
    ? html` <span class="count" aria-hidden="true">${cartCount}</span><span class="unseen">, ${count(cartCount, 'item')}</span>`
    : '';
  const visitor =
    userEmail === undefined
      ? html`<a href="/login">Log in</a>`
      : html`<span class="email" title="${userEmail}">${userEmail}</span>
        <a href="/orders">Orders</a>
        <form action="/logout" method="post"><button class="link" type="submit">Log out</button></form>`;
  return html`<nav class="account" aria-label="Account and cart">
        !${visitor}
        <a class="cart" href="/cart">Cart!${badge}</a>
      </nav>`;
}
