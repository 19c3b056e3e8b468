import { html } from 'ghtml';
import type { PageContext } from '../types';
import type { CatalogueView } from './catalogue-url';
import { capitalised, count } from './format';
import { servedBy } from './served-by';

export const SHOP = 'Tenfold';

export interface LayoutProps {
  /** Title of the page, without the shop's name; absent on the front page. */
  readonly title?: string;
  /** One sentence for search engines. */
  readonly description?: string;
  /** What the search field starts from. Default: the whole catalogue. */
  readonly view?: CatalogueView;
}

/** A whole document around `main`, which is HTML already. */
export function layout(ctx: PageContext, { title, description, view = {} }: LayoutProps, main: string): string {
  return html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>${title === undefined ? `${SHOP}: everyday things, made to be kept` : `${title} · ${SHOP}`}</title>
  <meta name="description" content="${description ?? 'Kitchen, table, home, bath, desk and garden: everyday things, made to be kept.'}">
  <meta name="color-scheme" content="light dark">
  <link rel="icon" type="image/svg+xml" href="${ctx.asset('favicon.svg')}">
  <link rel="stylesheet" href="${ctx.asset('shop.css')}">
</head>
<body>
  <a class="skip" href="#main">Skip to the content</a>
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
      <p>${SHOP} shows how a shop grows. Nothing is charged and nothing is sent; what answered this page is below.</p>
      !${servedBy(ctx.served)}
    </div>
  </footer>
</body>
</html>
`;
}

function search({ category, q }: CatalogueView): string {
  const where = category === undefined ? 'the shop' : capitalised(category);
  return html`<form class="search" action="/" method="get" role="search">
        <label class="unseen" for="search">Search ${where}</label>
        <input id="search" type="search" name="q" value="${q}" placeholder="Search ${where}" maxlength="100" autocomplete="off">
        !${category === undefined ? '' : html`<input type="hidden" name="category" value="${category}">`}
        <button type="submit">Search</button>
      </form>`;
}

function account({ userEmail, cartCount }: PageContext): string {
  const pieces = cartCount
    ? html` <span class="count" aria-hidden="true">${cartCount}</span><span class="unseen">, ${count(cartCount, 'piece')}</span>`
    : '';
  const visitor =
    userEmail === undefined
      ? html`<a href="/login">Log in</a>`
      : html`<span class="email" title="${userEmail}">${userEmail}</span>
        <a href="/orders">Orders</a>
        <form action="/logout" method="post"><button class="link" type="submit">Log out</button></form>`;
  return html`<nav class="account" aria-label="Account and cart">
        !${visitor}
        <a class="cart" href="/cart">Cart!${pieces}</a>
      </nav>`;
}
