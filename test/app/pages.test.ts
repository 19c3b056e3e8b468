import { imageOf } from '../../app/data/seed';
import * as pages from '../../app/pages/index';
import type { Cart, CartItem, Order, PageContext, Product, Served } from '../../app/types';

const HOSTILE = `"' onload=alert(1) ><script>alert('x')</script>&amp;<!--`;
const ESCAPED =
  '&#34;&#39; onload&#61;alert(1) &#62;&#60;script&#62;alert(&#39;x&#39;)&#60;/script&#62;&#38;amp;&#60;!--';

const categories = ['kitchen', 'table', 'bath'];

function served(text: string): Served {
  return { server: text, az: text, phase: 2, sessionStore: text, pid: 4711, version: text, cache: 'hit' };
}

function context(text = 'box-1', more: Partial<PageContext> = {}): PageContext {
  return { served: served(text), asset: (file) => `/assets/${file}`, imageOf, ...more };
}

function product(text = 'Enamel kettle', more: Partial<Product> = {}): Product {
  return {
    id: 1,
    name: text,
    description: text,
    category: text,
    priceCents: 123456,
    stock: 50,
    imageUrl: `/assets/${text}`,
    ...more,
  };
}

function products(n: number): Product[] {
  return Array.from({ length: n }, (_, i) => product(`Thing ${i + 1}`, { id: i + 1 }));
}

function cart(...items: CartItem[]): Cart {
  return { items, totalCents: items.reduce((sum, { quantity, priceCents }) => sum + quantity * priceCents, 0) };
}

function line(text = 'Enamel kettle', productId = 1): CartItem {
  return { productId, name: text, quantity: 2, priceCents: 5400 };
}

function order(text = 'Enamel kettle', more: Partial<Order> = {}): Order {
  const createdAt = new Date('2025-03-04T15:06:07Z');
  return { id: '0192f1a3-5a6e', status: 'placed', createdAt, ...cart(line(text)), ...more };
}

function home(ctx: PageContext, total: number, more: Partial<Parameters<typeof pages.homePage>[1]> = {}): string {
  const list = { items: products(Math.min(total, 12)), page: 1, total };
  return pages.homePage(ctx, { list, categories, pageSize: 12, ...more });
}

/** Every page in each of its states, with `text` in every text field. */
function everyPage(text: string): Record<string, string> {
  const anonymous = context(text);
  const visitor = context(text, { userEmail: text, cartCount: 3 });
  const one = { items: [product(text)], page: 1, total: 1 };
  return {
    'home, full catalogue': home(anonymous, 72),
    'home, one product': pages.homePage(visitor, {
      list: one,
      categories: [text],
      category: text,
      q: text,
      pageSize: 12,
    }),
    'home, nothing found': home(visitor, 0, { q: text, category: text }),
    'home, beyond the end': home(anonymous, 30, { list: { items: [], page: 9, total: 30 }, q: text }),
    'product in stock': pages.productPage(visitor, { product: product(text) }),
    'product, few left': pages.productPage(anonymous, { product: product(text, { stock: 3 }) }),
    'product sold out': pages.productPage(anonymous, { product: product(text, { stock: 0 }) }),
    'cart, empty': pages.cartPage(anonymous, { cart: cart(), idempotencyKey: text, notice: text }),
    'cart, logged in': pages.cartPage(visitor, { cart: cart(line(text)), idempotencyKey: text, notice: text }),
    'cart, logged out': pages.cartPage(anonymous, { cart: cart(line(text), line(text, 9999)), idempotencyKey: text }),
    login: pages.loginPage(anonymous, { email: text, error: text, next: text }),
    'sign up': pages.loginPage(anonymous, { mode: 'signup', email: text, error: text, next: text }),
    'login, initial': pages.loginPage(anonymous, {}),
    'orders, none': pages.ordersPage(visitor, { orders: [] }),
    orders: pages.ordersPage(visitor, { orders: [order(text), order(text, { id: text, status: 'fulfilled' })] }),
    'order, just placed': pages.orderPage(visitor, { order: order(text, { id: text }), justPlaced: true }),
    'order, fulfilled': pages.orderPage(visitor, {
      order: order(text, { id: text, status: 'fulfilled', receiptNumber: text }),
    }),
    error: pages.errorPage(anonymous, { status: 404, title: text, message: text }),
  };
}

interface Element {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly parent?: Element;
}

const VOID = new Set(['br', 'img', 'input', 'link', 'meta']);

/**
 * Parses the elements of a page. Stricter than a browser: throws on a `<` outside of a tag, on an attribute without
 * double quotes (except `required`), and on a mismatched closing tag.
 */
function elements(page: string): Element[] {
  const tag = /<(?:!doctype html|\/([a-z]+[1-6]?)|([a-z]+[1-6]?)((?: (?:[a-z-]+="[^"<]*"|required))*) *)>/y;
  const found: Element[] = [];
  let open: Element | undefined;
  for (let at = page.indexOf('<'); at !== -1; at = page.indexOf('<', tag.lastIndex)) {
    tag.lastIndex = at;
    const match = tag.exec(page);
    if (match === null) throw new Error(`no tag begins at: ${page.slice(at, at + 80)}`);
    const [, closing, opening, attributes = ''] = match;
    if (closing !== undefined) {
      if (open?.tag !== closing) throw new Error(`</${closing}> closes <${open?.tag}>`);
      open = open.parent;
    } else if (opening !== undefined) {
      const pairs = [...attributes.matchAll(/([a-z-]+)(?:="([^"]*)")?/g)].map(([, name, value]) => [
        name,
        unescaped(value),
      ]);
      const element: Element = { tag: opening, attributes: Object.fromEntries(pairs), parent: open };
      found.push(element);
      if (!VOID.has(opening)) open = element;
    }
  }
  if (open !== undefined) throw new Error(`<${open.tag}> is never closed`);
  return found;
}

function unescaped(value = ''): string {
  return value.replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
}

function all(page: string, tag: string): Readonly<Record<string, string>>[] {
  return elements(page).flatMap((element) => (element.tag === tag ? [element.attributes] : []));
}

/** Returns the text of a page without markup. */
function text(page: string): string {
  const main = page.slice(page.indexOf('<main'), page.indexOf('</main>'));
  return unescaped(main.replaceAll(/<[^>]*>/g, ' ')).replaceAll(/\s+/g, ' ');
}

const harmless = Object.entries(everyPage('Enamel kettle'));

describe.each(Object.entries(everyPage(HOSTILE)))('with hostile text, %s', (name, page) => {
  test('stays well-formed and escapes the text', () => {
    const names = new Set(elements(page).flatMap(({ attributes }) => Object.keys(attributes)));
    expect([...names].filter((name) => name.startsWith('on'))).toEqual([]);
    expect(page).toContain(ESCAPED);
    expect(page).not.toContain('<script');
    expect(page).not.toMatch(/&(?!#\d+;)/);
    expect(page).not.toContain('undefined');
  });

  test('has the same elements as with harmless text', () => {
    const twin = harmless.find(([twin]) => twin === name)?.[1] ?? '';
    expect(elements(page).map(({ tag }) => tag)).toEqual(elements(twin).map(({ tag }) => tag));
  });
});

describe.each(harmless)('%s', (_, page) => {
  test('is a document with a language, a title, a description, an icon and one stylesheet', () => {
    expect(page.startsWith('<!doctype html>\n<html lang="en">')).toBe(true);
    expect(page).toMatch(/<title>[^<]*Tenfold[^<]*<\/title>/);
    expect(all(page, 'meta')).toContainEqual({ name: 'description', content: expect.stringMatching(/.{10,}/) });
    expect(all(page, 'link')).toEqual([
      { rel: 'icon', type: 'image/svg+xml', href: '/assets/favicon.svg' },
      { rel: 'stylesheet', href: '/assets/shop.css' },
    ]);
  });

  test('has no script, no inline style and no external resource', () => {
    for (const { tag, attributes } of elements(page)) {
      expect(['script', 'style', 'iframe', 'object', 'embed', 'base']).not.toContain(tag);
      expect(Object.keys(attributes).filter((name) => name === 'style' || name.startsWith('on'))).toEqual([]);
      for (const url of [attributes.href, attributes.src, attributes.action]) {
        if (url !== undefined) expect(url).toMatch(/^(?:\/(?!\/)|#)/);
      }
    }
  });

  test('has one h1, landmarks, a skip link, and unique ids whose references resolve', () => {
    const tags = elements(page).map(({ tag }) => tag);
    for (const tag of ['h1', 'header', 'main', 'footer'])
      expect([tag, tags.filter((t) => t === tag).length]).toEqual([tag, 1]);
    const ids = elements(page).flatMap(({ attributes: { id } }) => id ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    expect(elements(page).find(({ tag }) => tag === 'a')?.attributes.href).toBe('#main');
    for (const { attributes } of elements(page)) {
      const refersTo = [attributes.for, attributes['aria-labelledby'], attributes['aria-describedby']];
      for (const id of refersTo) if (id !== undefined) expect(ids).toContain(id);
    }
  });

  test('labels every field and names every button', () => {
    const labeled = all(page, 'label').map((label) => label.for);
    for (const { type, id } of all(page, 'input')) if (type !== 'hidden') expect(labeled).toContain(id);
    for (const [, label] of page.matchAll(/<button[^>]*>(.*?)<\/button>/g)) {
      expect(label?.replaceAll(/<[^>]*>|\s|\+/g, '')).not.toBe('');
    }
  });

  test('sets alt, width and height of every image', () => {
    for (const image of all(page, 'img')) {
      expect(image).toMatchObject({ alt: expect.any(String), width: expect.stringMatching(/^\d+$/) });
      expect(image.height).toBe(image.width);
      expect(image.src).toMatch(/^\/assets\//);
    }
  });

  test('links and posts only to routes of the shop', () => {
    const links =
      /^(?:#main|\/|\/\?[a-z].*|\/products\/\d+|\/cart|\/orders(?:\/[^/]+)?|\/login(?:\?(?:mode=signup&)?next=\/cart)?)$/;
    for (const { href } of all(page, 'a')) expect(href).toMatch(links);
    const posts = /^(?:\/cart\/items(?:\/\d+\/remove)?|\/orders|\/login|\/signup|\/logout)$/;
    for (const { method, action } of all(page, 'form')) {
      expect([method, action]).toEqual(method === 'get' ? ['get', '/'] : ['post', expect.stringMatching(posts)]);
    }
  });

  test('shows the server of the response', () => {
    const strip = page.slice(page.indexOf('class="served"'));
    expect(strip).toMatch(/Served by.*Zone.*Phase.*2 of 5.*Session store.*cache hit.*Version/s);
  });
});

test('the server strip omits the cache if the page did not read the catalogue', () => {
  const ctx = context();
  expect(pages.ordersPage({ ...ctx, served: { ...ctx.served, cache: undefined } }, { orders: [] })).not.toContain(
    'cache hit',
  );
  expect(pages.ordersPage({ ...ctx, served: { ...ctx.served, cache: 'miss' } }, { orders: [] })).toContain(
    'cache miss',
  );
});

describe('the catalogue', () => {
  const numbers = (page: string) => [...page.matchAll(/Page <\/span>(\d+)/g)].map(([, n]) => Number(n));

  test('shows the number of products and pages', () => {
    expect(text(home(context(), 1))).toContain('1 product ');
    expect(text(home(context(), 12))).toContain('12 products ');
    expect(text(home(context(), 13))).toContain('13 products, page 1 of 2');
  });

  test('paginates only if there is more than one page, and keeps the search', () => {
    expect(home(context(), 12)).not.toContain('aria-label="Pages"');
    const list = { items: products(12), page: 2, total: 30 };
    const page = home(context(), 30, { list, category: 'bath', q: 'soap & water' });
    const hrefs = all(page, 'a').flatMap(({ rel, href }) => (rel ? [[rel, href]] : []));
    expect(hrefs).toEqual([
      ['prev', '/?category=bath&q=soap+%26+water'],
      ['next', '/?category=bath&q=soap+%26+water&page=3'],
    ]);
    expect(numbers(page)).toEqual([1, 2, 3]);
  });

  test.each([
    [1, ['next']],
    [2, ['prev', 'next']],
    [3, ['prev']],
  ])('on page %i of 3 links to %j', (page, expected) => {
    const shown = home(context(), 36, { list: { items: products(12), page, total: 36 } });
    expect(all(shown, 'a').flatMap(({ rel }) => rel ?? [])).toEqual(expected);
  });

  test.each([
    [1, [1, 2, 9]],
    [3, [1, 2, 3, 4, 9]],
    [5, [1, 4, 5, 6, 9]],
    [9, [1, 8, 9]],
  ])('on page %i of 9 lists the pages %j', (page, expected) => {
    expect(numbers(home(context(), 108, { list: { items: products(12), page, total: 108 } }))).toEqual(expected);
  });

  test('marks the current category, and searches within it', () => {
    const page = home(context(), 3, { category: 'table' });
    const current = all(page, 'a').filter((a) => a['aria-current']);
    expect(current).toEqual([{ href: '/?category=table', 'aria-current': 'page' }]);
    expect(all(page, 'input')).toContainEqual({ type: 'hidden', name: 'category', value: 'table' });
  });

  test('shows a button for products in stock, a warning for low stock, and no button for sold-out products', () => {
    const states = [product('plenty'), product('few', { stock: 10 }), product('none', { stock: 0 })];
    const page = home(context(), 3, { list: { items: states, page: 1, total: 3 } });
    expect(page.match(/Add \w+ to cart/g)).toEqual(['Add plenty to cart', 'Add few to cart']);
    expect(text(page)).toMatch(/Only 10 left few .* Sold out none/);
  });
});

describe('a product', () => {
  const quantity = (stock: number) =>
    all(pages.productPage(context(), { product: product('Kettle', { stock }) }), 'input').find(
      (i) => i.name === 'quantity',
    );

  test('limits the quantity to the stock and to 99', () => {
    expect(quantity(3)).toMatchObject({ type: 'number', min: '1', max: '3', value: '1' });
    expect(quantity(500)).toMatchObject({ max: '99' });
    expect(quantity(0)).toBeUndefined();
  });

  test('shows the price in dollars', () => {
    expect(text(pages.productPage(context(), { product: product() }))).toContain('$1,234.56');
  });
});

describe('the cart', () => {
  const visitor = context('box-1', { userEmail: 'ada@example.com', cartCount: 2 });

  test('has one order form for a logged-in visitor', () => {
    const page = pages.cartPage(visitor, { cart: cart(line()), idempotencyKey: 'key-1' });
    expect(all(page, 'input')).toContainEqual({ type: 'hidden', name: 'idempotencyKey', value: 'key-1' });
    expect(all(page, 'form')).toContainEqual(expect.objectContaining({ action: '/orders' }));
    expect(text(page)).toContain('2 × $54.00');
    expect(text(page)).toContain('Total $108.00');
  });

  test('links to the login for other visitors', () => {
    const page = pages.cartPage(context(), { cart: cart(line()), idempotencyKey: 'key-1' });
    expect(all(page, 'form').map(({ action }) => action)).not.toContain('/orders');
    expect(all(page, 'a')).toContainEqual(expect.objectContaining({ href: '/login?next=/cart' }));
  });

  test('has no items and no order button if it is empty', () => {
    const page = pages.cartPage(visitor, { cart: cart(), idempotencyKey: 'key-1' });
    expect(text(page)).toContain('Your cart is empty.');
    expect(page).not.toContain('idempotencyKey');
  });

  test('has a remove button for each of 99 items', () => {
    const items = Array.from({ length: 99 }, (_, i) => line(`Thing ${i + 1}`, i + 1));
    const page = pages.cartPage(visitor, { cart: cart(...items), idempotencyKey: 'key-1' });
    expect(all(page, 'form').filter(({ action }) => action?.endsWith('/remove'))).toHaveLength(99);
  });

  test('shows its item count in the header, unless it is empty or was not read', () => {
    const count = (cartCount?: number) => home(context('box-1', { cartCount }), 1).match(/\d+ items?/)?.[0];
    expect([count(), count(0), count(1), count(3)]).toEqual([undefined, undefined, '1 item', '3 items']);
  });
});

describe('the login page', () => {
  const fields = (page: string) => all(page, 'input').filter(({ type }) => type === 'email');

  test('shows address and error in the submitted form, and shows that form first', () => {
    const page = pages.loginPage(context(), {
      mode: 'signup',
      email: 'ada@example.com',
      error: 'Taken.',
      next: '/cart',
    });
    expect(fields(page).map(({ id, value }) => [id, value])).toEqual([
      ['signup-email', 'ada@example.com'],
      ['login-email', ''],
    ]);
    expect(fields(page)[0]?.['aria-describedby']).toBe('signup-error');
    expect(page.match(/role="alert"/g)).toHaveLength(1);
  });

  test('never shows a password, and returns to the previous page', () => {
    const page = pages.loginPage(context(), { email: 'ada@example.com', next: '/cart' });
    for (const { type, value } of all(page, 'input')) if (type === 'password') expect(value).toBeUndefined();
    expect(all(page, 'input').filter(({ name }) => name === 'next')).toEqual([
      { type: 'hidden', name: 'next', value: '/cart' },
      { type: 'hidden', name: 'next', value: '/cart' },
    ]);
  });

  test('is linked for anonymous visitors, while users get links to orders and logout', () => {
    const actions = (ctx: PageContext) => all(home(ctx, 0), 'form').map(({ action }) => action);
    expect(actions(context())).not.toContain('/logout');
    expect(actions(context('box-1', { userEmail: 'ada@example.com' }))).toContain('/logout');
  });
});

describe('an order', () => {
  test('shows its status, its time in UTC and, if it exists, its receipt', () => {
    const placed = pages.orderPage(context(), { order: order() });
    expect(text(placed)).toMatch(/Order placed .*Mar 4, 2025, 3:06\sPM UTC.*Pending\. Refresh/);
    expect(placed).toContain('<time datetime="2025-03-04T15:06:07.000Z">');
    const done = pages.orderPage(context(), { order: order('Kettle', { status: 'fulfilled', receiptNumber: 'R-17' }) });
    expect(text(done)).toMatch(/Order fulfilled .*Receipt R-17/);
  });

  test('is listed with its items', () => {
    const two = order('Kettle', cart(line('Kettle'), line('Mug', 2), line('Lamp', 3)));
    const page = pages.ordersPage(context(), { orders: [two, order('Teapot')] });
    expect(text(page)).toMatch(/Kettle and 2 more .* 6 items .* Teapot .* 2 items/);
  });
});
