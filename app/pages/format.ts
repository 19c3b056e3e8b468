import { html } from 'ghtml';

const money = new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD' });

/** Formats 1234 cents as `$12.34`. */
export function formatMoney(cents: number): string {
  return money.format(cents / 100);
}

// UTC, so that servers in all time zones print the same.
const moment = new Intl.DateTimeFormat('en-US', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' });

/** Returns a `<time>` element in UTC. */
export function timeElement(date: Date): string {
  return html`<time datetime="${date.toISOString()}">${moment.format(date)} UTC</time>`;
}

/** Formats `1 item`, `2 items`. */
export function count(n: number, noun: string): string {
  return `${n.toLocaleString('en-US')} ${n === 1 ? noun : `${noun}s`}`;
}

export function capitalize(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
