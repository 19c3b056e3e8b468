import type { Router } from 'express';
import { PAGE_SIZE } from '../data/catalogue-cache';
import { validate } from '../http/validate';
import { homePage, productPage } from '../pages';
import type { Shop } from '../shop';
import { productOf, searchCatalog } from './catalogue';
import { sendCatalogPage } from './page-context';
import { CatalogQuery, ProductParams } from './schemas';

/**
 * The catalog as pages. They show who is logged in but need no session: visitors without a cookie share a response, and the pages
 * work while the session store is down.
 */
export function catalogPages(pages: Router, shop: Shop): void {
  const home = validate({ query: CatalogQuery });
  pages.get('/', home, async (request, response) => {
    const { query } = home.of(response);
    const categories = await shop.catalogue.categories();
    const list = await searchCatalog(shop, query);
    const content = {
      list: list.value,
      categories: categories.value,
      category: query.category || undefined,
      q: query.q || undefined,
      pageSize: PAGE_SIZE,
    };
    const freshUntil = Math.min(list.freshUntil, categories.freshUntil);
    await sendCatalogPage(shop, request, response, { ...list, freshUntil }, (context) => homePage(context, content));
  });

  const product = validate({ params: ProductParams });
  pages.get('/products/:id', product, async (request, response) => {
    const found = await productOf(shop, product.of(response).params.id);
    await sendCatalogPage(shop, request, response, found, (context) => productPage(context, { product: found.value }));
  });
}
