import { html } from 'ghtml';
import type { Order, OrderStatus, PageContext } from '../types';
import { count, formatMoney, timeElement } from './format';
import { layout } from './layout';
import { lines } from './lines';

/** The visitor's orders, in the given order. */
export function ordersPage(ctx: PageContext, { orders }: { readonly orders: readonly Order[] }): string {
  const main = html`<h1>Your orders</h1>
    !${orders.length === 0 ? noOrders : html`<ul class="orders">!${orders.map(summary)}</ul>`}`;
  return layout(ctx, { title: 'Your orders' }, main);
}

export interface OrderPageProps {
  readonly order: Order;
  /** Whether to show the confirmation. */
  readonly justPlaced?: boolean;
}

/** One order with its lines and, once a background job has issued it, its receipt. */
export function orderPage(ctx: PageContext, { order, justPlaced }: OrderPageProps): string {
  const { id, status, createdAt, items, totalCents } = order;
  const main = html`<nav class="trail" aria-label="Breadcrumb"><ol><li><a href="/orders">Your orders</a></li><li aria-current="page">Order</li></ol></nav>
    <article class="order">
      !${justPlaced ? confirmation : ''}
      <h1 class="order-title">Order !${badge(status)}</h1>
      <dl class="order-facts">
        <div><dt>Number</dt><dd>${id}</dd></div>
        <div><dt>Placed</dt><dd>!${timeElement(createdAt)}</dd></div>
        <div><dt>Receipt</dt><dd>!${receipt(order)}</dd></div>
      </dl>
      !${lines(ctx, items)}
      <p class="grand-total"><span>Total</span> <strong>${formatMoney(totalCents)}</strong></p>
    </article>`;
  return layout(ctx, { title: 'Your order' }, main);
}

function receipt({ id, receiptNumber }: Order): string {
  return receiptNumber ? html`${receiptNumber}` : html`Pending. <a href="/orders/${id}">Refresh</a>`;
}

const noOrders = html`<div class="empty"><p>You have no orders yet.</p><a class="button" href="/">Browse the shop</a></div>`;

const confirmation = html`<p class="notice success" role="status"><strong>Thank you.</strong> Your order has been placed.</p>`;

function badge(status: OrderStatus): string {
  return html`<span class="badge ${status}">${status}</span>`;
}

function summary({ id, status, createdAt, items, totalCents }: Order): string {
  const itemCount = items.reduce((sum, { quantity }) => sum + quantity, 0);
  return html`<li>
      <div><a href="/orders/${id}">${headline(items)}</a><p>!${timeElement(createdAt)} · ${count(itemCount, 'item')}</p></div>
      !${badge(status)}
      <p class="sum">${formatMoney(totalCents)}</p>
    </li>`;
}

/** Returns `Enamel kettle and 2 more`: visitors recognize an order by its products, not by its number. */
function headline([first, ...others]: Order['items']): string {
  if (first === undefined) return 'Order';
  return others.length === 0 ? first.name : `${first.name} and ${others.length} more`;
}
