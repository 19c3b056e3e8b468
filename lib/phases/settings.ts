import { UsageError } from '../usage-error';
import type { ShopProps } from './shop-props';
import { type BoxSizeName, sizes } from './sizes';

/** What can be said on the command line of the CDK: `-c size=growth -c alarmEmail=ops@example.com`. */
export interface Settings extends Omit<ShopProps, 'appBundle'> {
  readonly stackName: string;
  readonly unprotectedBecause?: string;
}

/**
 * Reads the context of the CDK app. Values from the command line are strings, those from cdk.json may be numbers.
 *
 * @param context what is known under a name, or undefined
 * @throws UsageError naming the setting, the value, and what is allowed
 */
export function readSettings(context: (name: string) => unknown): Settings {
  const size = read(context, 'size', SIZE_NAMES.join(', '), isSizeName) ?? 'launch';
  const stackName =
    read(
      context,
      'stackName',
      'a letter, then up to 127 letters, digits and dashes',
      matches(/^[A-Za-z][A-Za-z0-9-]{0,127}$/),
    ) ?? 'shop';
  const unprotectedBecause = read(
    context,
    'unprotectedBecause',
    'a reason of 10 to 200 characters',
    matches(/^.{10,200}$/),
  );
  const domainName = read(context, 'domainName', 'a host name such as shop.example.com', matches(HOST_NAME));
  const hostedZoneId = read(
    context,
    'hostedZoneId',
    'the id of a Route 53 zone such as Z0123456789ABC',
    matches(/^Z[A-Z0-9]{5,31}$/),
  );
  const alarmEmail = read(context, 'alarmEmail', 'an e-mail address', matches(/^[^\s@'"]+@[^\s@'"]+\.[^\s@'"]+$/));
  const budget = read(context, 'monthlyBudget', 'US dollars, above 0 and at most 1000000000', isBudget);

  needs(domainName, 'domainName', hostedZoneId, 'hostedZoneId');
  needs(hostedZoneId, 'hostedZoneId', domainName, 'domainName');
  needs(budget, 'monthlyBudget', alarmEmail, 'alarmEmail');
  return {
    size,
    stackName,
    unprotectedBecause,
    domainName,
    hostedZoneId,
    alarmEmail,
    monthlyBudget: budget === undefined ? undefined : Number(budget),
  };
}

const SIZE_NAMES = Object.keys(sizes);

const HOST_NAME = /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/;

function read<T extends string>(
  context: (name: string) => unknown,
  name: string,
  allowed: string,
  isAllowed: (text: string) => text is T,
): T | undefined {
  const value = context(name);
  if (value === undefined) return undefined;
  const text = typeof value === 'string' || typeof value === 'number' ? String(value) : JSON.stringify(value);
  if (!isAllowed(text)) throw new UsageError(`-c ${name}=${text}: allowed is ${allowed}`);
  return text;
}

function needs(value: string | undefined, name: string, other: string | undefined, otherName: string): void {
  if (value !== undefined && other === undefined) {
    throw new UsageError(`-c ${name}=${value}: needs -c ${otherName}=... as well`);
  }
}

function isSizeName(text: string): text is BoxSizeName {
  return Object.hasOwn(sizes, text);
}

function matches(pattern: RegExp): (text: string) => text is string {
  return (text): text is string => pattern.test(text);
}

function isBudget(text: string): text is string {
  return /^\d+(\.\d{1,2})?$/.test(text) && Number(text) > 0 && Number(text) <= 1e9;
}
