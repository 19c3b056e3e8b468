import cookie from '@fastify/cookie';
import { PAGE_SIZE } from '../data/catalogue-cache';
import type { App } from '../http/fastify';
import { homePage, productPage } from '../pages';
import type { Shop } from '../shop';
import { CatalogueQuery, ProductParams, productOf, searchCatalogue } from './catalogue';
import { glanceContext, sendCataloguePage } from './page-context';

/**
 * The catalogue for people. These pages show who is logged in but need no session: visitors without a cookie share one
 * answer, and the pages outlive the session store.
 */
export function cataloguePages(app: App, shop: Shop): void {
  app.register(async (scope: App) => {
    scope.register(cookie);

    scope.get('/', { schema: { querystring: CatalogueQuery } }, async (request, reply) => {
      const { category, q } = request.query;
      const categories = await shop.catalogue.categories();
      const { value: list, cache } = await searchCatalogue(shop, request.query);
      const context = await glanceContext(shop, request, cache);
      const shown = { list, categories, category: category || undefined, q: q || undefined, pageSize: PAGE_SIZE };
      return sendCataloguePage(request, reply, homePage(context, shown));
    });

    scope.get('/products/:id', { schema: { params: ProductParams } }, async (request, reply) => {
      const { value: product, cache } = await productOf(shop, request.params.id);
      const context = await glanceContext(shop, request, cache);
      return sendCataloguePage(request, reply, productPage(context, { product }));
    });
  });
}
