/** Filter and page of the catalog; absent fields do not filter. */
export interface CatalogueView {
  readonly category?: string;
  readonly q?: string;
  /** From 1. Default: 1. */
  readonly page?: number;
}

/** Returns path and query of a view of the catalog; `/` for the unfiltered first page. */
export function catalogueUrl({ category, q, page }: CatalogueView): string {
  const query = new URLSearchParams();
  if (category) query.set('category', category);
  if (q) query.set('q', q);
  if (page !== undefined && page > 1) query.set('page', String(page));
  return query.size === 0 ? '/' : `/?${query}`;
}
