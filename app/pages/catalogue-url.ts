/** What the visitor is looking at in the catalogue; absent parts do not narrow it. */
export interface CatalogueView {
  readonly category?: string;
  readonly q?: string;
  /** Starts at 1, which is the default. */
  readonly page?: number;
}

/** Path and query of a view of the catalogue; the whole of it is `/`. */
export function catalogueUrl({ category, q, page }: CatalogueView): string {
  const query = new URLSearchParams();
  if (category) query.set('category', category);
  if (q) query.set('q', q);
  if (page !== undefined && page > 1) query.set('page', String(page));
  return query.size === 0 ? '/' : `/?${query}`;
}
