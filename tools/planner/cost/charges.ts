import type { ResolvedTemplate } from '../../cloudformation/resolve';
import type { TemplateResource } from '../../cloudformation/template';
import type { Price, PriceTable } from '../prices/table';
import type { Usage } from './usage';

/** Something of a resource that is billed. */
export interface Charge {
  readonly what: string;
  /** Key of its price, or a price made from others; undefined for what the template does not tell. */
  readonly price: string | Price | undefined;
  /** Units a month; undefined for what the traffic does not tell. */
  readonly units: number | undefined;
  /** Whether it is billed for existing, or for being used. */
  readonly kind: 'fixed' | 'usage';
}

export type Pricing =
  | { readonly charges: readonly Charge[] }
  | { readonly free: string }
  | { readonly unpriced: string };

/** What a pricer may ask for besides the resource itself. */
export interface PricingContext {
  readonly template: ResolvedTemplate;
  readonly prices: PriceTable;
  /** A month of the traffic; undefined when none was given. */
  readonly usage: Usage | undefined;
  /** Servers of an Auto Scaling group; undefined leaves it to the template. */
  readonly instancesOf: (logicalId: string) => number | undefined;
  /** Whether visitors' answers leave AWS here. */
  readonly isEntry: (logicalId: string) => boolean;
  /** Why a nested stack cannot be read; undefined for one that is, and is billed by itself. */
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

/** A number that may be written as text; undefined for what only CloudFormation knows. */
export function asNumber(value: unknown): number | undefined {
  if (value === undefined || value === '' || typeof value === 'object') return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

/** A flag that may be written as text. */
export function isTrue(value: unknown): boolean {
  return value === true || value === 'true';
}

/** A list that may be an intrinsic function that nobody here can compute. */
export function asList(value: unknown): Properties[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'object' && one !== null) : [];
}

/** A word of a template: `standard` when it is not said, "unknown" when only CloudFormation knows it. */
export function asText(value: unknown, standard: string): string {
  if (value === undefined || value === null || value === '') return standard;
  return typeof value === 'object' ? 'unknown' : String(value);
}
