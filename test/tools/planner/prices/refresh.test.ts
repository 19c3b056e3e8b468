import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prices } from '../../../../tools/planner/commands/prices-command';
import { queryFor } from '../../../../tools/planner/prices/queries';
import { type Refreshed, refresh } from '../../../../tools/planner/prices/refresh';
import { DATA, readPriceTable } from '../../../../tools/planner/prices/table';
import { QUIET_SDK } from '../../../../tools/support/aws-environment';

Object.assign(process.env, QUIET_SDK);

/** Real SDK requests to a price list with a few products. */
interface PriceQuery {
  readonly ServiceCode: string;
  readonly Filters: readonly { readonly Type: string; readonly Field: string; readonly Value: string }[];
}

const product = (usagetype: string, ...tiers: [usd: string, from?: string, upTo?: string][]) => {
  const dimensions = tiers.map(([USD, beginRange = '0', endRange = 'Inf'], i) => [
    `D${i}`,
    { beginRange, endRange, pricePerUnit: { USD } },
  ]);
  return JSON.stringify({
    product: { attributes: { usagetype } },
    terms: { OnDemand: { T: { priceDimensions: Object.fromEntries(dimensions) } } },
  });
};

const queries: PriceQuery[] = [];
const table = readPriceTable('us-east-1');
let server: Server;
let endpoint: string;
let sameRegion: Refreshed;
let otherRegion: Refreshed;
const progress: string[] = [];

function productsFor({ ServiceCode, Filters }: PriceQuery): string[] {
  const wanted = Object.fromEntries(Filters.map(({ Field, Value }) => [Field, Value]));
  if (wanted.instanceType === 't3.micro') return [product('EUC1-BoxUsage:t3.micro', ['0.0120000000'])];
  // Two matching products with different prices are ambiguous.
  if (wanted.instanceType === 't3.small') return [product('a', ['1']), product('b', ['2'])];
  // Equal prices are not ambiguous.
  if (wanted.instanceType === 't3.medium') return [product('a', ['0.05']), product('b', ['0.05'])];
  if (wanted.instanceType === 'db.t4g.small' && wanted.deploymentOption === 'Multi-AZ') {
    return [product('x', ['0.075'])];
  }
  if (ServiceCode === 'AWSELB' && wanted.productFamily === 'Load Balancer-Application') {
    return [product('EUC1-LoadBalancerUsage', ['0.027']), product('EUC1-LCUUsage', ['0.008'])];
  }
  if (wanted.productFamily === 'Provisioned Throughput') {
    return [product('EUC1-EBS:VolumeP-Throughput.gp3', ['49.152'])];
  }
  if (ServiceCode === 'AWSDataTransfer' && wanted.fromRegionCode && wanted.transferType === 'AWS Outbound') {
    // As in the list: unordered, and the first 100 GB free.
    const tiers: [string, string, string][] = [
      ['0.05', '153600', 'Inf'],
      ['0.09', '100', '10240'],
      ['0', '0', '100'],
      ['0.085', '10240', '51200'],
      ['0.07', '51200', '153600'],
    ];
    return [product('EUC1-DataTransfer-Out-Bytes', ...tiers), product('EUC1-DataTransfer-In-Bytes', ['0.001'])];
  }
  if (ServiceCode === 'awskms') return [product('eu-central-1-KMS-Keys', ['1']), product('x-KMS-Keys-Other', ['2'])];
  if (wanted.usagetype === 'HostedZone' && wanted.regionCode === undefined) {
    return [product('HostedZone', ['0.5', '0', '25'], ['0.1', '25', 'Inf'])];
  }
  return [];
}

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const question = JSON.parse(body) as PriceQuery;
      if (request.headers['x-amz-target'] === 'AWSPriceListService.GetProducts') queries.push(question);
      response.setHeader('content-type', 'application/x-amz-json-1.1');
      response.end(JSON.stringify({ FormatVersion: 'aws_v1', PriceList: productsFor(question) }));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const config = {
    endpoint,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  };
  otherRegion = await refresh(table, 'eu-central-1', '2026-11-22', config, (line) => progress.push(line));
  sameRegion = await refresh(table, 'us-east-1', '2026-11-22', config, () => {});
});

afterAll(() => {
  server?.closeAllConnections();
  server?.close();
});

const lineOf = ({ lines }: Refreshed, key: string) => lines.filter((line) => line.startsWith(`${key},`));

test('queries a price by its region and product attributes', () => {
  const micro = queries.find(({ Filters }) => Filters.some(({ Value }) => Value === 't3.micro'));
  expect(micro).toMatchObject({ ServiceCode: 'AmazonEC2' });
  expect(micro?.Filters).toContainEqual({ Type: 'TERM_MATCH', Field: 'regionCode', Value: 'eu-central-1' });
  expect(micro?.Filters).toContainEqual({ Type: 'TERM_MATCH', Field: 'operatingSystem', Value: 'Linux' });
});

test('accepts an unambiguous price, with date and source', () => {
  expect(lineOf(otherRegion, 'ec2.t3.micro')).toEqual(['ec2.t3.micro,0.012,hour,1,,price-list-api,2026-11-22,read']);
  expect(lineOf(otherRegion, 'rds.postgres.db.t4g.small.multi')[0]).toMatch(/,0.075,hour,/);
  expect(lineOf(otherRegion, 'alb.hour')[0]).toMatch(/^alb.hour,0.027,hour,1,,price-list-api,/);
  expect(lineOf(otherRegion, 'alb.lcu')[0]).toMatch(/^alb.lcu,0.008,LCU-hour,/);
});

test('converts throughput from GiB/s to MiB/s', () => {
  expect(lineOf(otherRegion, 'ebs.gp3.throughput')[0]).toMatch(/^ebs.gp3.throughput,0.048,MBps-month,/);
});

test('sorts tiers, and drops free ones', () => {
  expect(lineOf(otherRegion, 'transfer.internet').map((line) => line.split(',').slice(1, 5))).toEqual([
    ['0.09', 'GB', '1', '10240'],
    ['0.085', 'GB', '1', '51200'],
    ['0.07', 'GB', '1', '153600'],
    ['0.05', 'GB', '1', ''],
  ]);
});

test('queries a global price without a region', () => {
  const zone = queries.find(({ Filters }) => Filters.some(({ Value }) => Value === 'HostedZone'));
  expect(zone?.Filters).toEqual([{ Type: 'TERM_MATCH', Field: 'usagetype', Value: 'HostedZone' }]);
  expect(lineOf(otherRegion, 'route53.zone')[0]).toBe('route53.zone,0.5,month,1,25,price-list-api,2026-11-22,read');
});

test('accepts a usage type prefixed by a region code or a region name', () => {
  expect(lineOf(otherRegion, 'kms.key')[0]).toMatch(/^kms.key,1,month,/);
});

test('accepts several products with the same price', () => {
  expect(lineOf(otherRegion, 'ec2.t3.medium')[0]).toMatch(/^ec2.t3.medium,0.05,hour,/);
});

test('leaves out ambiguous and missing prices for another region, keeps them for the same region, and gives the reason', () => {
  expect(lineOf(otherRegion, 'ec2.t3.small')).toEqual([]);
  expect(progress).toContain('ec2.t3.small: left out, ambiguous: 2 prices in the list');
  expect(lineOf(sameRegion, 'ec2.t3.small')).toEqual(['ec2.t3.small,0.0208,hour,1,,ec2-price-list,2026-07-20,read']);
  expect(lineOf(sameRegion, 'sqs.standard')[0]).toBe('sqs.standard,0.0000004,request,1,,price-pages,2024-07-01,read');
  const other = ({ others }: Refreshed, key: string) => others.find((one) => one.key === key);
  expect(other(sameRegion, 'sqs.standard')).toEqual({
    key: 'sqs.standard',
    fate: 'kept',
    asOf: '2024-07-01',
    why: 'not in the price list',
  });
  expect(other(otherRegion, 'transfer.region')).toMatchObject({
    fate: 'left out',
    why: expect.stringMatching(/price per pair of regions/),
  });
});

test('has a query for every price, apart from two', () => {
  const withoutQuery = table.prices().filter(({ key }) => typeof queryFor(key) === 'string');
  expect(withoutQuery.map(({ key }) => key)).toEqual(['transfer.region', 'accelerator.hour']);
});

test('accounts for every price', () => {
  for (const { read, others } of [otherRegion, sameRegion]) expect(read + others.length).toBe(table.prices().length);
  expect(otherRegion.read).toBe(9);
  expect(new Set(otherRegion.lines.map((line) => line.split(',')[0])).size).toBe(otherRegion.read);
  expect(new Set(sameRegion.lines.map((line) => line.split(',')[0])).size).toBe(table.prices().length);
});

test('the command lists prices that a refresh did not read, with date and reason', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'prices-'));
  cpSync(DATA, dir, { recursive: true });
  const env = { ...process.env };
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  });
  const [printed] = (['log', 'error'] as const).map((stream) => jest.spyOn(console, stream).mockImplementation());
  try {
    await prices({ refresh: true, region: 'us-east-1', dir });
    const text = printed?.mock.calls.flat().join('\n');
    expect(text).toMatch(/^sqs\.standard +kept, from 2024-07-01 +not in the price list$/m);
    expect(text).toMatch(/^AWS Price List API +9 /m);
    expect(readFileSync(join(dir, 'us-east-1.csv'), 'utf8')).toMatch(/^alb\.hour,0\.027,/m);
    printed?.mockClear();
    await prices({ refresh: true, region: 'us-east-1', dir, json: true });
    expect(JSON.parse(printed?.mock.calls.flat().join('') ?? '').notRead).toContainEqual(
      expect.objectContaining({ key: 'accelerator.hour', fate: 'kept' }),
    );
  } finally {
    process.env = env;
    jest.restoreAllMocks();
    rmSync(dir, { recursive: true });
  }
});
