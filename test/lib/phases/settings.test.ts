import { SettingError } from '../../../lib/phases/setting-error';
import { readSettings } from '../../../lib/phases/settings';

const read = (context: Record<string, unknown>) => readSettings((name) => context[name]);

test('defaults to the smallest shop without context', () => {
  expect(read({})).toEqual({ size: 'launch', stackName: 'shop' });
});

test('reads all settings of phases 1 to 3', () => {
  const context = {
    size: '64vcpu',
    stackName: 'other',
    domainName: 'shop.example.com',
    hostedZoneId: 'Z0123456789ABC',
    alarmEmail: 'ops@example.com',
    unprotectedBecause: 'a trial for one day',
    algorithm: 'round-robin',
  };
  const farm = { servers: '10', replicas: '0', natGateways: '1', layer: '7', sticky: 'true' };
  expect(read({ ...context, ...farm, monthlyBudget: '49.90' })).toEqual({
    ...context,
    monthlyBudget: 49.9,
    servers: 10,
    replicas: 0,
    natGateways: 1,
    layer: 7,
    sticky: true,
  });
});

test('reads the settings of phase 4', () => {
  const context = { predictive: 'ForecastAndScale', timeZone: 'Europe/Berlin' };
  expect(read({ ...context, minServers: '5', maxServers: 40, maxWorkers: '20', spot: 'false' })).toMatchObject({
    ...context,
    minServers: 5,
    maxServers: 40,
    maxWorkers: 20,
    spot: false,
  });
});

test('numbers and booleans from cdk.json work like strings from the command line', () => {
  expect(read({ alarmEmail: 'ops@example.com', monthlyBudget: 100 }).monthlyBudget).toBe(100);
  expect(read({ servers: 2, layer: 4, sticky: false })).toMatchObject({ servers: 2, layer: 4, sticky: false });
});

const email = { alarmEmail: 'ops@example.com' };
const domain = { domainName: 'shop.example.com', hostedZoneId: 'Z0123456789ABC' };
const sizes = '-c size must be one of launch, growth, 8vcpu, 16vcpu, 32vcpu, 64vcpu, got';
const hostName = '-c domainName must be a host name such as shop.example.com, got';
const zone = '-c hostedZoneId must be the ID of a Route 53 hosted zone such as Z0123456789ABC, got';
const budget = '-c monthlyBudget must be an amount in US dollars, above 0 and at most 1000000000, got';
const stackName = '-c stackName must be a letter followed by up to 127 letters, digits and hyphens, got';

test.each<[Record<string, unknown>, string]>([
  [{ size: 'huge' }, `${sizes} "huge".`],
  [{ size: '' }, `${sizes} "".`],
  [{ size: '__proto__' }, `${sizes} "__proto__".`],
  [{ size: 'toString' }, `${sizes} "toString".`],
  [{ size: ['growth'] }, `${sizes} ["growth"].`],
  [{ stackName: '1shop' }, `${stackName} "1shop".`],
  [{ stackName: 'a'.repeat(129) }, `${stackName} "${'a'.repeat(129)}".`],
  [
    { domainName: 'shop.example.com' },
    '-c hostedZoneId must be set when -c domainName is set, got -c domainName=shop.example.com alone.',
  ],
  [
    { hostedZoneId: 'Z0123456789ABC' },
    '-c domainName must be set when -c hostedZoneId is set, got -c hostedZoneId=Z0123456789ABC alone.',
  ],
  [{ domainName: 'https://shop.example.com' }, `${hostName} "https://shop.example.com".`],
  [{ domainName: 'localhost' }, `${hostName} "localhost".`],
  [{ domainName: 'shop.example.com', hostedZoneId: '/hostedzone/Z1' }, `${zone} "/hostedzone/Z1".`],
  [{ alarmEmail: 'ops' }, '-c alarmEmail must be an email address, got "ops".'],
  [{ monthlyBudget: '100' }, '-c alarmEmail must be set when -c monthlyBudget is set, got -c monthlyBudget=100 alone.'],
  [{ ...email, monthlyBudget: '0' }, `${budget} "0".`],
  [{ ...email, monthlyBudget: '-5' }, `${budget} "-5".`],
  [{ ...email, monthlyBudget: '1e3' }, `${budget} "1e3".`],
  [{ ...email, monthlyBudget: 'Infinity' }, `${budget} "Infinity".`],
  [{ ...email, monthlyBudget: 1e9 + 1 }, `${budget} 1000000001.`],
  [{ minServers: '1' }, '-c minServers must be a whole number from 2 to 100, got "1".'],
  [{ minServers: '20' }, '-c minServers must be below maxServers (20), got "20".'],
  [{ maxServers: '501' }, '-c maxServers must be a whole number from 3 to 500, got "501".'],
  [{ spot: 'yes' }, '-c spot must be true or false, got "yes".'],
  [{ predictive: 'always' }, '-c predictive must be ForecastOnly or ForecastAndScale, got "always".'],
  [{ timeZone: 'Berlin' }, '-c timeZone must be an IANA time zone such as Europe/Berlin, got "Berlin".'],
  [{ servers: '1' }, '-c servers must be a whole number from 2 to 100, got "1".'],
  [{ servers: '101' }, '-c servers must be a whole number from 2 to 100, got "101".'],
  [{ servers: '5.5' }, '-c servers must be a whole number from 2 to 100, got "5.5".'],
  [{ replicas: '16' }, '-c replicas must be a whole number from 0 to 15, got "16".'],
  [{ replicas: '-1' }, '-c replicas must be a whole number from 0 to 15, got "-1".'],
  [{ natGateways: '2' }, '-c natGateways must be 1 or 3, got "2".'],
  [{ layer: '5' }, '-c layer must be 4 or 7, got "5".'],
  [{ algorithm: 'random' }, '-c algorithm must be round-robin or least-outstanding-requests, got "random".'],
  [
    { algorithm: 'round-robin', layer: '4' },
    '-c algorithm must be unset with -c layer=4, got "round-robin". Use -c layer=7, the default.',
  ],
  [
    { ...domain, layer: '4' },
    '-c domainName must be unset with -c layer=4, got "shop.example.com". Use -c layer=7, the default.',
  ],
  [{ sticky: 'yes' }, '-c sticky must be true or false, got "yes".'],
  [{ goBackFrom: '1' }, '-c goBackFrom must be the phase that the running shop is in (2, 3 or 4), got "1".'],
  [{ unprotectedBecause: 'true' }, '-c unprotectedBecause must be a reason of 10 to 200 characters, got "true".'],
])('rejects %j', (context, message) => {
  expect(() => read(context)).toThrow(new SettingError(message));
  expect(() => read(context)).toThrow(SettingError);
});
