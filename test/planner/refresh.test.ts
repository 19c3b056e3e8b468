import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { QUIET_SDK } from '../../lib/emulator/environment';
import { type Refreshed, refresh } from '../../lib/planner/prices/refresh';
import { readPriceTable } from '../../lib/planner/prices/table';

Object.assign(process.env, QUIET_SDK);

/** The SDK's real requests against a price list of a few products. */
interface Asked {
  readonly ServiceCode: string;
  readonly Filters: readonly { readonly Type: string; readonly Field: string; readonly Value: string }[];
}

const product = (usagetype: string, usd: string) =>
  JSON.stringify({
    product: { attributes: { usagetype } },
    terms: { OnDemand: { T: { priceDimensions: { D: { pricePerUnit: { USD: usd } } } } } },
  });

const asked: Asked[] = [];
const table = readPriceTable('us-east-1');
let server: Server;
let home: Refreshed;
let abroad: Refreshed;
const said: string[] = [];

function productsFor({ ServiceCode, Filters }: Asked): string[] {
  const wanted = Object.fromEntries(Filters.map(({ Field, Value }) => [Field, Value]));
  if (wanted.instanceType === 't3.micro') return [product('EUC1-BoxUsage:t3.micro', '0.0120000000')];
  // Two products answer: nobody knows which is meant.
  if (wanted.instanceType === 't3.small') return [product('a', '1'), product('b', '2')];
  if (wanted.instanceType === 'db.t4g.small' && wanted.deploymentOption === 'Multi-AZ') return [product('x', '0.075')];
  if (ServiceCode === 'AWSELB' && wanted.productFamily === 'Load Balancer-Application') {
    return [product('EUC1-LoadBalancerUsage', '0.027'), product('EUC1-LCUUsage', '0.008')];
  }
  if (wanted.productFamily === 'Provisioned Throughput') return [product('EUC1-EBS:VolumeP-Throughput.gp3', '49.152')];
  return [];
}

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const question = JSON.parse(body) as Asked;
      if (request.headers['x-amz-target'] === 'AWSPriceListService.GetProducts') asked.push(question);
      response.setHeader('content-type', 'application/x-amz-json-1.1');
      response.end(JSON.stringify({ FormatVersion: 'aws_v1', PriceList: productsFor(question) }));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const config = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  };
  abroad = await refresh(table, 'eu-central-1', '2026-11-22', config, (line) => said.push(line));
  home = await refresh(table, 'us-east-1', '2026-11-22', config, () => {});
});

afterAll(() => {
  server?.closeAllConnections();
  server?.close();
});

const lineOf = ({ lines }: Refreshed, key: string) => lines.filter((line) => line.startsWith(`${key},`));

test('each figure is asked for in its region by what makes it one product', () => {
  const micro = asked.find(({ Filters }) => Filters.some(({ Value }) => Value === 't3.micro'));
  expect(micro).toMatchObject({ ServiceCode: 'AmazonEC2' });
  expect(micro?.Filters).toContainEqual({ Type: 'TERM_MATCH', Field: 'regionCode', Value: 'eu-central-1' });
  expect(micro?.Filters).toContainEqual({ Type: 'TERM_MATCH', Field: 'operatingSystem', Value: 'Linux' });
});

test('what the list gives exactly once is taken, with the day and its source', () => {
  expect(lineOf(abroad, 'ec2.t3.micro')).toEqual(['ec2.t3.micro,0.012,hour,1,,price-list-api,2026-11-22,read']);
  expect(lineOf(abroad, 'rds.postgres.db.t4g.small.multi')[0]).toMatch(/,0.075,hour,/);
  expect(lineOf(abroad, 'alb.hour')[0]).toMatch(/^alb.hour,0.027,hour,1,,price-list-api,/);
  expect(lineOf(abroad, 'alb.lcu')[0]).toMatch(/^alb.lcu,0.008,LCU-hour,/);
});

test('throughput is sold by GiB/s and reckoned by MiB/s', () => {
  expect(lineOf(abroad, 'ebs.gp3.throughput')[0]).toMatch(/^ebs.gp3.throughput,0.048,MBps-month,/);
});

test('what it gives twice or not at all is left out abroad, and kept at home', () => {
  expect(lineOf(abroad, 'ec2.t3.small')).toEqual([]);
  expect(said).toContain('ec2.t3.small: the price list does not give it exactly once');
  expect(lineOf(home, 'ec2.t3.small')).toEqual(['ec2.t3.small,0.0208,hour,1,,ec2-price-list,2026-07-20,read']);
  expect(lineOf(home, 'transfer.internet')).toHaveLength(4);
  expect(lineOf(home, 'sqs.standard')[0]).toBe('sqs.standard,0.0000004,request,1,,price-pages,2024-07-01,read');
});

test('every figure is accounted for', () => {
  const { read, unanswered, notAsked } = abroad.counts;
  expect(read + unanswered + notAsked).toBe(table.prices().length);
  expect(read).toBe(5);
  expect(abroad.lines).toHaveLength(read);
});
