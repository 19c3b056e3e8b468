import { html } from 'ghtml';

const money = new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD' });

/** `1234` cents as `$12.34`. */
export function formatMoney(cents: number): string {
  return money.format(cents / 100);
}

// Servers may stand anywhere, and all of them must print the same time.
const moment = new Intl.DateTimeFormat('en-US', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' });

/** A `<time>` element, in UTC. */
export function timeElement(date: Date): string {
  return html`<time datetime="${date.toISOString()}">${moment.format(date)} UTC</time>`;
}

/** `1 piece`, `2 pieces`. */
export function count(n: number, noun: string): string {
  return `${n.toLocaleString('en-US')} ${n === 1 ? noun : `${noun}s`}`;
}

export function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
