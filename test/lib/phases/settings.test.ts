import { readSettings } from '../../../lib/phases/settings';
import { UsageError } from '../../../tools/support/usage-error';

const read = (context: Record<string, unknown>) => readSettings((name) => context[name]);

test('without any context, the smallest shop', () => {
  expect(read({})).toEqual({ size: 'launch', stackName: 'shop' });
});

test('everything that can be said', () => {
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

test('how elastic phase 4 is', () => {
  const context = { predictive: 'ForecastAndScale', timeZone: 'Europe/Berlin' };
  expect(read({ ...context, minServers: '5', maxServers: 40, maxWorkers: '20', spot: 'false' })).toMatchObject({
    ...context,
    minServers: 5,
    maxServers: 40,
    maxWorkers: 20,
    spot: false,
  });
});

test('numbers from cdk.json are taken like strings from the command line', () => {
  expect(read({ alarmEmail: 'ops@example.com', monthlyBudget: 100 }).monthlyBudget).toBe(100);
  expect(read({ servers: 2, layer: 4, sticky: false })).toMatchObject({ servers: 2, layer: 4, sticky: false });
});

const email = { alarmEmail: 'ops@example.com' };
test.each<[Record<string, unknown>, string]>([
  [{ size: 'huge' }, '-c size=huge: allowed is launch, growth, 8vcpu, 16vcpu, 32vcpu, 64vcpu'],
  [{ size: '' }, '-c size=: allowed is launch'],
  [{ size: '__proto__' }, '-c size=__proto__: allowed is launch'],
  [{ size: 'toString' }, '-c size=toString: allowed is launch'],
  [{ size: ['growth'] }, '-c size=["growth"]: allowed is launch'],
  [{ stackName: '1shop' }, '-c stackName=1shop: allowed is a letter'],
  [{ stackName: 'a'.repeat(129) }, 'allowed is a letter, then up to 127'],
  [{ domainName: 'shop.example.com' }, '-c domainName=shop.example.com: needs -c hostedZoneId=... as well'],
  [{ hostedZoneId: 'Z0123456789ABC' }, '-c hostedZoneId=Z0123456789ABC: needs -c domainName=... as well'],
  [{ domainName: 'https://shop.example.com' }, 'allowed is a host name such as shop.example.com'],
  [{ domainName: 'localhost' }, 'allowed is a host name'],
  [{ domainName: 'shop.example.com', hostedZoneId: '/hostedzone/Z1' }, 'allowed is the id of a Route 53 zone'],
  [{ alarmEmail: 'ops' }, '-c alarmEmail=ops: allowed is an e-mail address'],
  [{ monthlyBudget: '100' }, '-c monthlyBudget=100: needs -c alarmEmail=... as well'],
  [{ ...email, monthlyBudget: '0' }, '-c monthlyBudget=0: allowed is US dollars, above 0'],
  [{ ...email, monthlyBudget: '-5' }, '-c monthlyBudget=-5: allowed is US dollars'],
  [{ ...email, monthlyBudget: '1e3' }, '-c monthlyBudget=1e3: allowed is US dollars'],
  [{ ...email, monthlyBudget: 'Infinity' }, '-c monthlyBudget=Infinity: allowed is US dollars'],
  [{ ...email, monthlyBudget: 1e9 + 1 }, '-c monthlyBudget=1000000001: allowed is US dollars'],
  [{ minServers: '1' }, '-c minServers=1: allowed is a whole number from 2 to 100'],
  [{ minServers: '20' }, '-c minServers=20: must be below maxServers, which is 20'],
  [{ maxServers: '501' }, '-c maxServers=501: allowed is a whole number from 3 to 500'],
  [{ spot: 'yes' }, '-c spot=yes: allowed is true or false'],
  [{ predictive: 'always' }, '-c predictive=always: allowed is ForecastOnly or ForecastAndScale'],
  [{ timeZone: 'Berlin' }, '-c timeZone=Berlin: allowed is an IANA time zone such as Europe/Berlin'],
  [{ servers: '1' }, '-c servers=1: allowed is a whole number from 2 to 100'],
  [{ servers: '101' }, '-c servers=101: allowed is a whole number from 2 to 100'],
  [{ servers: '5.5' }, '-c servers=5.5: allowed is a whole number'],
  [{ replicas: '16' }, '-c replicas=16: allowed is a whole number from 0 to 15'],
  [{ replicas: '-1' }, '-c replicas=-1: allowed is a whole number from 0 to 15'],
  [{ natGateways: '2' }, '-c natGateways=2: allowed is 1 or 3'],
  [{ layer: '5' }, '-c layer=5: allowed is 4 or 7'],
  [{ algorithm: 'random' }, '-c algorithm=random: allowed is round-robin or least-outstanding-requests, on layer 7'],
  [{ algorithm: 'round-robin', layer: '4' }, '-c algorithm=round-robin: not with -c layer=4'],
  [
    { domainName: 'shop.example.com', hostedZoneId: 'Z0123456789ABC', layer: '4' },
    '-c domainName=shop.example.com: not with -c layer=4',
  ],
  [{ sticky: 'yes' }, '-c sticky=yes: allowed is true or false'],
  [{ unprotectedBecause: 'true' }, '-c unprotectedBecause=true: allowed is a reason of 10 to 200 characters'],
])('refuses %j', (context, message) => {
  expect(() => read(context)).toThrow(UsageError);
  expect(() => read(context)).toThrow(message);
});
