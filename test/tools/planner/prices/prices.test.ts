import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { albUnits, nlbUnits } from '../../../../tools/planner/cost/usage';
import {
  HOURS_PER_MONTH,
  type Price,
  PriceTable,
  readPriceTable,
  usdFor,
} from '../../../../tools/planner/prices/table';

const prices = readPriceTable('us-east-1');
const price = (key: string) => prices.find(key) as Price;
const monthOf = (key: string) => usdFor(price(key), HOURS_PER_MONTH);

describe('reference values', () => {
  test.each([
    ['NAT gateway', monthOf('nat.hour'), 32.85],
    ['ALB with 1.3698 LCU', monthOf('alb.hour') + usdFor(price('alb.lcu'), 1.3698 * HOURS_PER_MONTH), 24.43],
    ['t3.medium', monthOf('ec2.t3.medium'), 30.37],
    ['db.t4g.small Multi-AZ', monthOf('rds.postgres.db.t4g.small.multi'), 47.45],
    ['m6i.xlarge', monthOf('ec2.m6i.xlarge'), 140.16],
    ['u-24tb1.112xlarge', monthOf('ec2.u-24tb1.112xlarge'), 159_432],
  ])('a month of %s', (_, found, expected) => {
    expect(found).toBeCloseTo(expected, 1);
  });

  test('a million requests/s through CloudFront for a month: 2.63 million for HTTPS requests alone', () => {
    const requests = 1e6 * HOURS_PER_MONTH * 3600;
    expect(usdFor(price('cloudfront.requests.https'), requests) / 1e6).toBeCloseTo(2.63, 2);
  });
});

test('every price has a source, a date and a status', () => {
  expect(prices.prices().length).toBeGreaterThan(150);
  for (const { source, asOf, status } of prices.prices()) {
    expect(prices.source(source)).toMatch(/\w{4}/);
    expect(Date.parse(asOf)).toBeGreaterThan(Date.parse('2024-01-01'));
    expect(['read', 'derived']).toContain(status);
  }
});

test('sums a month over tiers, and more units never cost less', () => {
  expect(usdFor(price('transfer.internet'), 10_240)).toBeCloseTo(921.6, 6);
  expect(usdFor(price('transfer.internet'), 10_241)).toBeCloseTo(921.6 + 0.085, 6);
  expect(usdFor(price('cloudfront.data'), 51_200)).toBeCloseTo(10_240 * 0.085 + 40_960 * 0.08, 6);
  const gigabytes = fc.double({ min: 0, max: 1e8, noNaN: true });
  fc.assert(
    fc.property(gigabytes, gigabytes, (one, more) => {
      expect(usdFor(price('cloudfront.data'), one + more)).toBeGreaterThanOrEqual(
        usdFor(price('cloudfront.data'), one),
      );
    }),
  );
});

test('a price that is not in the table is undefined, not 0', () => {
  expect(prices.find('ec2.p5.48xlarge')).toBeUndefined();
});

test('reports the age of the oldest price, and counts those older than 180 days', () => {
  const figure = { usd: 1, unit: 'hour', per: 1, upTo: '', source: 's', status: 'read' } as const;
  const table = new PriceTable(
    'here',
    [
      { key: 'a.new', asOf: '2026-11-01', ...figure },
      { key: 'a.old', asOf: '2026-01-01', ...figure },
    ],
    [],
    new Map([['s', 'somewhere']]),
  );
  const now = new Date('2026-11-22T12:00:00Z');
  expect(table.age(now)).toEqual({ oldest: '2026-01-01', oldestDays: 325, old: 1, count: 2 });
  expect(table.age(new Date('2026-06-30T00:00:00Z')).old).toBe(0);
  expect(table.age(new Date('2026-07-01T00:00:00Z')).old).toBe(1);
});

describe('load balancer capacity units', () => {
  const none = { newConnections: 0, activeConnections: 0, gibPerHour: 0, ruleEvaluations: 0 };

  test.each([
    [{ newConnections: 50 }, 2],
    [{ activeConnections: 9000 }, 3],
    [{ gibPerHour: 4 }, 4],
    [{ ruleEvaluations: 5000 }, 5],
  ])('%j alone are %d', (load, units) => {
    expect(albUnits({ ...none, ...load })).toBe(units);
  });

  test('are the largest of four dimensions, not their sum', () => {
    expect(albUnits({ newConnections: 50, activeConnections: 9000, gibPerHour: 4, ruleEvaluations: 5000 })).toBe(5);
    expect(nlbUnits({ newConnections: 800, activeConnections: 200_000, gibPerHour: 1, ruleEvaluations: 1e9 })).toBe(2);
  });
});

describe('a price file', () => {
  const HEADER = 'key,usd,unit,per,upTo,source,asOf,status\n';
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'prices-'));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));
  const read = (lines: string) => {
    writeFileSync(join(dir, 'eu-test-1.csv'), HEADER + lines);
    return readPriceTable('eu-test-1', dir);
  };

  test('is read with its tiers', () => {
    const table = read(
      'transfer.internet,0.09,GB,1,10,price-pages,2026-01-01,read\ntransfer.internet,0.05,GB,1,,price-pages,2026-01-01,read\n',
    );
    expect(usdFor(table.find('transfer.internet') as Price, 12)).toBeCloseTo(1, 6);
  });

  test.each([
    ['nat.hour,0,hour,1,,price-pages,2026-01-01,read', 'line 2: usd must be a number above 0, got "0"'],
    [
      'nat.hour,0.1,hour,1,,price-pages,yesterday,read',
      'line 2: asOf must be a date such as 2026-07-20, got "yesterday"',
    ],
    ['nat.hour,0.1,hour,1,,price-pages,2026-01-01,guess', 'line 2: status must be read or derived, got "guess"'],
    ['nat.hour,0.1,hour,1,,unknown,2026-01-01,read', 'nat.hour: source must be an id of sources.csv, got "unknown"'],
    [
      'a.b,1,GB,1,9,price-pages,2026-01-01,read\na.b,2,GB,1,3,price-pages,2026-01-01,read',
      'a.b: tiers must be in ascending order',
    ],
  ])('with the line %s is rejected', (line, message) => {
    expect(() => read(`${line}\n`)).toThrow(message);
  });

  test('for an unknown region is rejected with the known ones', () => {
    expect(() => readPriceTable('mars-north-1')).toThrow(
      '--region must be a region with prices (us-east-1), got mars-north-1. Run "npm run prices -- --refresh --region mars-north-1" to add it.',
    );
    expect(() => readPriceTable('../../etc/passwd')).toThrow('--region must be a region with prices');
  });
});
