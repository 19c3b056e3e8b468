import { SettingError } from './setting-error';
import type { ElasticProps, FarmProps } from './shop-props';
import { type BoxSizeName, MAX_SETTINGS, sizes } from './sizes';

/** Settings of the CDK app, given as context: `-c size=growth -c alarmEmail=ops@example.com`. */
export interface Settings extends Omit<FarmProps & ElasticProps, 'appBundle' | 'edgeParts'> {
  readonly stackName: string;
  readonly unprotectedBecause?: string;
  /** Phase that the running shop is in. Confirms a deploy of an earlier phase. */
  readonly goBackFrom?: number;
}

/**
 * Reads the settings from the context of the CDK app. Values from the command line are strings; those from cdk.json may be numbers
 * or booleans.
 *
 * @param context value of a context key, or undefined
 * @throws SettingError with the setting, the allowed values, and the value received
 */
export function readSettings(context: (name: string) => unknown): Settings {
  const size = read(context, 'size', `one of ${Object.keys(sizes).join(', ')}`, isSizeName) ?? 'launch';
  const stackName =
    read(
      context,
      'stackName',
      'a letter followed by up to 127 letters, digits and hyphens',
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
    'the ID of a Route 53 hosted zone such as Z0123456789ABC',
    matches(/^Z[A-Z0-9]{5,31}$/),
  );
  const alarmEmail = read(context, 'alarmEmail', 'an email address', matches(/^[^\s@'"]+@[^\s@'"]+\.[^\s@'"]+$/));
  const budget = read(context, 'monthlyBudget', 'an amount in US dollars, above 0 and at most 1000000000', isBudget);
  const servers = readWholeNumber(context, 'servers', 2, MAX_SETTINGS.servers);
  const replicas = readWholeNumber(context, 'replicas', 0, 15);
  const natGateways = read(context, 'natGateways', '1 or 3', oneOf('1', '3'));
  const layer = read(context, 'layer', '4 or 7', oneOf('4', '7'));
  const algorithm = read(
    context,
    'algorithm',
    'round-robin or least-outstanding-requests',
    oneOf('round-robin', 'least-outstanding-requests'),
  );
  const sticky = read(context, 'sticky', 'true or false', oneOf('true', 'false'));
  const minServers = readWholeNumber(context, 'minServers', 2, MAX_SETTINGS.minServers);
  const maxServers = readWholeNumber(context, 'maxServers', 3, MAX_SETTINGS.maxServers);
  const maxWorkers = readWholeNumber(context, 'maxWorkers', 2, MAX_SETTINGS.maxWorkers);
  const spot = read(context, 'spot', 'true or false', oneOf('true', 'false'));
  const predictive = read(
    context,
    'predictive',
    'ForecastOnly or ForecastAndScale',
    oneOf('ForecastOnly', 'ForecastAndScale'),
  );
  const timeZone = read(context, 'timeZone', 'an IANA time zone such as Europe/Berlin', isTimeZone);

  const goBackFrom = read(
    context,
    'goBackFrom',
    'the phase that the running shop is in (2, 3 or 4)',
    oneOf('2', '3', '4'),
  );

  requireWith('hostedZoneId', hostedZoneId, 'domainName', domainName);
  requireWith('domainName', domainName, 'hostedZoneId', hostedZoneId);
  requireWith('alarmEmail', alarmEmail, 'monthlyBudget', budget);
  if (Number(minServers ?? 2) >= Number(maxServers ?? 20)) {
    throw new SettingError(`-c minServers must be below maxServers (${maxServers ?? 20}), got "${minServers ?? 2}".`);
  }
  if (layer === '4') {
    forbidOnLayer4('algorithm', algorithm);
    forbidOnLayer4('domainName', domainName);
  }
  return {
    size,
    stackName,
    unprotectedBecause,
    goBackFrom: goBackFrom === undefined ? undefined : Number(goBackFrom),
    domainName,
    hostedZoneId,
    alarmEmail,
    monthlyBudget: budget === undefined ? undefined : Number(budget),
    servers: servers === undefined ? undefined : Number(servers),
    replicas: replicas === undefined ? undefined : Number(replicas),
    natGateways: natGateways === undefined ? undefined : natGateways === '1' ? 1 : 3,
    layer: layer === undefined ? undefined : layer === '4' ? 4 : 7,
    algorithm,
    sticky: sticky === undefined ? undefined : sticky === 'true',
    minServers: minServers === undefined ? undefined : Number(minServers),
    maxServers: maxServers === undefined ? undefined : Number(maxServers),
    maxWorkers: maxWorkers === undefined ? undefined : Number(maxWorkers),
    spot: spot === undefined ? undefined : spot === 'true',
    predictive,
    timeZone,
  };
}

const HOST_NAME = /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/;

function read<T extends string>(
  context: (name: string) => unknown,
  name: string,
  allowed: string,
  isAllowed: (text: string) => text is T,
): T | undefined {
  const value = context(name);
  if (value === undefined) return undefined;
  const text = ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : JSON.stringify(value);
  if (!isAllowed(text)) throw new SettingError(`-c ${name} must be ${allowed}, got ${JSON.stringify(value)}.`);
  return text;
}

function readWholeNumber(
  context: (name: string) => unknown,
  name: string,
  from: number,
  to: number,
): string | undefined {
  return read(context, name, `a whole number from ${from} to ${to}`, isWholeNumber(from, to));
}

function requireWith(name: string, value: string | undefined, other: string, otherValue: string | undefined): void {
  if (otherValue !== undefined && value === undefined) {
    throw new SettingError(`-c ${name} must be set when -c ${other} is set, got -c ${other}=${otherValue} alone.`);
  }
}

function forbidOnLayer4(name: string, value: string | undefined): void {
  if (value !== undefined) {
    throw new SettingError(`-c ${name} must be unset with -c layer=4, got "${value}". Use -c layer=7, the default.`);
  }
}

function isSizeName(text: string): text is BoxSizeName {
  return Object.hasOwn(sizes, text);
}

function matches(pattern: RegExp): (text: string) => text is string {
  return (text): text is string => pattern.test(text);
}

function oneOf<T extends string>(...allowed: readonly T[]): (text: string) => text is T {
  return (text): text is T => allowed.some((one) => one === text);
}

function isWholeNumber(from: number, to: number): (text: string) => text is string {
  return (text): text is string => /^\d{1,9}$/.test(text) && Number(text) >= from && Number(text) <= to;
}

function isTimeZone(text: string): text is string {
  return Intl.supportedValuesOf('timeZone').includes(text) || text === 'Etc/UTC';
}

function isBudget(text: string): text is string {
  return /^\d+(\.\d{1,2})?$/.test(text) && Number(text) > 0 && Number(text) <= 1e9;
}
