import { html } from 'ghtml';
import type { PageContext } from '../types';
import { layout } from './layout';

export interface ErrorPageProps {
  /** HTTP status. */
  readonly status: number;
  readonly title: string;
  readonly message: string;
}

export function errorPage(ctx: PageContext, { status, title, message }: ErrorPageProps): string {
  const main = html`<div class="failure">
      <p class="status">${status}</p>
      <h1>${title}</h1>
      <p class="lead">${message}</p>
      <a class="button" href="/">Back to the shop</a>
    </div>`;
  return layout(ctx, { title }, main);
}
