import type { ResolvedTemplate } from '../../cloudformation/resolve';
import type { TemplateResource } from '../../cloudformation/template';
import type { Price, PriceTable } from '../prices/table';
import type { Usage } from './usage';

/** One billed item of a resource. */
export interface Charge {
  readonly what: string;
  /** Key in the price table, or a derived price; undefined when the template does not determine it. */
  readonly price: string | Price | undefined;
  /** Units per month; undefined when the traffic does not determine them. */
  readonly units: number | undefined;
  readonly kind: 'fixed' | 'usage';
}

export type Pricing =
  | { readonly charges: readonly Charge[] }
  | { readonly free: string }
  | { readonly unpriced: string };

/** Context of a resource for its pricer. */
export interface PricingContext {
  readonly template: ResolvedTemplate;
  readonly prices: PriceTable;
  /** Monthly usage; undefined without traffic. */
  readonly usage: Usage | undefined;
  /** Given size of an Auto Scaling group. @default - the template's size */
  readonly instancesOf: (logicalId: string) => number | undefined;
  /** Whether this resource sends responses to the internet. */
  readonly isEntry: (logicalId: string) => boolean;
  /** Reason why a nested stack cannot be read; undefined when it was read and is billed separately. */
  readonly unread: (logicalId: string) => string | undefined;
}

export type Properties = NonNullable<TemplateResource['Properties']>;

export type Pricer = (properties: Properties, scope: PricingContext, logicalId: string) => Pricing;

export function fixed(what: string, price: string | Price, units: number): Charge {
  return { what, price, units, kind: 'fixed' };
}

export function byUsage(what: string, price: string | Price, units: number | undefined): Charge {
  return { what, price, units, kind: 'usage' };
}

/** Reads a number, also from text; undefined for a value that is resolved at deploy time. */
export function asNumber(value: unknown): number | undefined {
  if (value === undefined || value === '' || typeof value === 'object') return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

/** Reads a flag, also from text. */
export function isTrue(value: unknown): boolean {
  return value === true || value === 'true';
}

/** Reads a list; empty for an unresolved intrinsic function. */
export function asList(value: unknown): Properties[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'object' && one !== null) : [];
}

/** Reads a text: `standard` when unset, "unknown" when resolved at deploy time. */
export function asText(value: unknown, standard: string): string {
  if (value === undefined || value === null || value === '') return standard;
  return typeof value === 'object' ? 'unknown' : String(value);
}
