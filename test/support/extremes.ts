import { imageOf } from '../../app/data/seed';
import * as pages from '../../app/pages/index';
import type { Cart, CartItem, Order, PageContext, Product, Served } from '../../app/types';
import type { BoardServer, BoardState, Button } from '../../tools/rehearsal/board/state';
import type { Report } from '../../tools/rehearsal/rehearse/findings';
import type { Scenario } from '../../tools/rehearsal/rehearse/scenario';
import { report, second, servers, traffic } from './findings';

/** A word wider than a phone, without a line break opportunity. */
export const LONG_WORD = 'ip-10-200-123-245_eu-central-1_compute_internal_Donaudampfschifffahrtsgesellschaft';

export const LONG_TEXT = `replica 2 lags 12,345.6 s behind; ${LONG_WORD} https://example.com/${'a'.repeat(90)}`;

const SERVER_STATES = ['in-service', 'starting', 'out-of-service', 'draining', 'terminated'] as const;

function button(of: string, label: string, unavailable?: string): Button {
  return { of, id: `${label} ${of}`.toLowerCase().replace(/[^a-z0-9]+/g, '-'), label, unavailable };
}

function server(name: string, index: number): BoardServer {
  return {
    name,
    zone: ['a', 'b', 'c'][index % 3] as string,
    state: SERVER_STATES[index % SERVER_STATES.length] as BoardServer['state'],
    rps: 123_456_789,
    failed: 98_765_432,
    latency: { p50: 12_345, p99: 123_456 },
    cpu: 128,
  };
}

const visitors = {
  rps: 123_456_789,
  p50: 12_345,
  p99: 123_456,
  failed: 98_765_432,
  acknowledged: 987_654_321,
  missed: 123_456_789,
};

const zoneButtons = ['a', 'b', 'c'].map((zone) => button(`zone ${zone}`, 'Kill zone', LONG_TEXT));

/** Board states with the largest possible figures and long names. */
export const boardStates: Readonly<Record<string, BoardState>> = {
  'phase 1 without visitors': {
    at: 1,
    phase: 1,
    desired: 1,
    balancer: false,
    servers: [{ name: LONG_WORD, zone: 'a', state: 'in-service', cpu: 128 }],
    workers: [],
    stores: [{ name: 'primary', up: true, figures: ['123456.78 vCPU'] }],
    buttons: [button('traffic', 'Start traffic'), button(LONG_WORD, 'Kill'), button('run', 'Deploy phase 2')],
  },
  'phase 2': {
    at: 359_999,
    phase: 2,
    becoming: 3,
    desired: 1,
    visitors,
    balancer: false,
    servers: [server(LONG_WORD, 0)],
    workers: [],
    stores: [{ name: 'primary', up: true, figures: ['98765432 statements/s'] }],
    buttons: [
      ...['Double traffic', 'Halve traffic', 'Stop traffic'].map((label) => button('traffic', label)),
      button(LONG_WORD, 'Kill', LONG_TEXT),
      button('primary', 'Fail over'),
      button('run', 'End run and verify data'),
    ],
  },
  'phase 4 with 20 servers': {
    at: 359_999,
    phase: 4,
    becoming: 5,
    desired: 12_345,
    visitors,
    edge: '99.9% hits of 123456789 lookups/s',
    balancer: true,
    servers: Array.from({ length: 20 }, (_, index) => server(index < 3 ? LONG_WORD + index : `server-${index}`, index)),
    workers: [1, 2].map((index) => ({ name: `${LONG_WORD}-${index}`, zone: 'a', state: 'draining', cpu: 128 })),
    stores: [
      { name: 'redis', up: true, figures: ['98765432 lookups/s', '99.9% hits'] },
      { name: 'primary', up: false, figures: [] },
      ...[1, 12_345].map((n) => ({ name: `replica ${n}`, up: true, figures: ['98765432 statements/s'] })),
      { name: 'queue', up: true, figures: ['123456789 jobs'] },
    ],
    buttons: [
      ...['Double traffic', 'Halve traffic', 'Stop traffic'].map((label) => button('traffic', label)),
      ...['Add server', 'Remove server', 'Deploy new version', 'Spot notice'].map((one) => button('fleet', one)),
      ...zoneButtons,
      ...Array.from({ length: 20 }, (_, index) => button(index < 3 ? LONG_WORD + index : `server-${index}`, 'Kill')),
      ...['redis', 'primary', 'replica 1'].map((store) => button(store, 'Fail over')),
      button('run', 'Deploy phase 5'),
      button('run', 'End run and verify data'),
    ],
  },
};

/** A report with the largest figures and names of a long rehearsal. */
export function extremeReport(): Report {
  const many = { ok: 987_654_321, refused: 123_456_789, failed: 98_765_432, wrong: 12_345_678 };
  const latency = { p50: 12_345, p95: 123_456, p99: 1_234_567, max: 12_345_678 };
  const scenario: Scenario = {
    phase: 4,
    servers: 20,
    vcpu: 0.25,
    sessions: 'memory',
    balance: 'leastconn',
    layer: 4,
    cache: false,
    shedding: false,
    overload: true,
    load: { profile: 'spike', rps: 123_456_789, seconds: 86_400, factor: 1000 },
    steps: [],
  };
  const seconds = Array.from({ length: 30 }, (_, index) =>
    second((index + 1) * 2880, {
      due: 123_456_789,
      rps: 987_654_321,
      inTime: 98_765_432,
      counts: many,
      latency,
      missed: 123_456_789,
      edgeHits: 0.999,
      jobs: 123_456_789,
      workers: 12_345,
      desired: 12_345,
      inService: index * 200,
      queries: { primary: 123_456_789, writes: 98_765_432, replicas: 987_654_321 },
      connections: { primary: 12_345, pooler: 123_456, limit: 123_456 },
    }),
  );
  const losses = { acknowledged: 987_654_321, lost: 123_456_789 };
  const kinds = traffic({ counts: many, latency, lateSeconds: 86_399, seconds: 86_400, due: 2_000_000_000 });
  const found = report({
    scenario,
    seconds,
    events: Array.from({ length: 20 }, (_, index) => ({
      at: index * 4_000,
      what: index % 4 === 0 ? LONG_TEXT : `killed ${LONG_WORD}${index} (a)`,
    })),
    traffic: {
      ...kinds,
      byKind: Object.fromEntries(
        Object.keys(kinds.byKind).map((kind) => [kind, { counts: many, latency }]),
      ) as typeof kinds.byKind,
      failures: { 503: 98_765_432, [LONG_WORD]: 12_345_678 },
      sources: { edge: 987_654_321, cache: 123_456_789, database: 98_765_432 },
      visitors: { came: 123_456_789, cameBack: 98_765_432, moved: 12_345_678 },
    },
    audit: {
      cartItems: losses,
      orders: losses,
      logIns: losses,
      unasked: 123_456_789,
      stockErrors: 98_765_432,
      staleReads: 123_456_789,
      unanswered: 98_765_432,
      receiptsWaiting: 123_456_789,
      examples: [LONG_TEXT],
    },
    edge: { lookups: 987_654_321, hits: 123_456_789 },
    servers: Array.from({ length: 20 }, (_, index) => ({
      ...(servers()[index % 5] as ReturnType<typeof servers>[number]),
      name: `${LONG_WORD}-${index}`,
      requests: 987_654_321,
      failures: 123_456_789,
      cpuSeconds: 12_345_678.9,
      state: SERVER_STATES[index % SERVER_STATES.length] as BoardServer['state'],
    })),
    notes: [LONG_TEXT],
  });
  return {
    ...found,
    command: `npm run rehearse -- 4 --servers 20 --scenario ${LONG_TEXT.replaceAll(' ', '_')}.yaml --html ${LONG_WORD}`,
    machine: `128 cores, Node 24.1.0, linux, ${LONG_WORD}`,
  };
}

/** Maximum of the price column in the database. */
const MAX_PRICE_CENTS = 2 ** 31 - 1;

/** All pages of the shop with long names, high prices and large counts, keyed by name. */
export function extremePages(): Record<string, string> {
  const served: Served = {
    server: LONG_WORD,
    az: 'ap-southeast-1-wl1-sin-wlz1',
    phase: 4,
    sessionStore: LONG_WORD,
    pid: 4_194_304,
    version: 'f'.repeat(64),
    cache: 'hit',
  };
  const email = `${'long.address'.repeat(5)}@${'subdomain.'.repeat(15)}example.com`;
  const visitor: PageContext = {
    served,
    userEmail: email,
    cartCount: 123_456_789,
    asset: (file) => `/assets/${file}`,
    imageOf,
  };
  const anonymous: PageContext = { ...visitor, userEmail: undefined };
  const product = (id: number, name: string, stock: number): Product => ({
    id,
    name,
    description: LONG_TEXT,
    category: id % 2 === 0 ? 'kitchen' : LONG_WORD,
    priceCents: MAX_PRICE_CENTS,
    stock,
    imageUrl: '/assets/products/enamel-kettle.svg',
  });
  const items = [
    LONG_WORD,
    LONG_TEXT,
    'Kettle',
    'Enamel kettle with a lid and a very long list of further features',
  ].map((name, index): CartItem => ({ productId: index + 1, name, quantity: 99, priceCents: MAX_PRICE_CENTS }));
  const cart: Cart = { items, totalCents: items.length * 99 * MAX_PRICE_CENTS };
  const order: Order = {
    id: '0192f1a3-5a6e-7000-8000-0123456789ab',
    status: 'fulfilled',
    createdAt: new Date('2025-12-24T23:59:59Z'),
    receiptNumber: LONG_WORD,
    ...cart,
  };
  const list = {
    items: items.map(({ name }, index) => product(index + 1, name, [0, 3, 50, 123_456_789][index] as number)),
    page: 123_456,
    total: 123_456_789,
  };
  const categories = ['kitchen', 'table', 'bath', LONG_WORD];
  return {
    catalogue: pages.homePage(anonymous, { list: { ...list, page: 1 }, categories, pageSize: 4 }),
    search: pages.homePage(visitor, { list, categories, category: LONG_WORD, q: LONG_TEXT.slice(0, 100), pageSize: 4 }),
    'nothing found': pages.homePage(visitor, {
      list: { items: [], page: 1, total: 0 },
      categories,
      category: LONG_WORD,
      q: LONG_WORD,
      pageSize: 4,
    }),
    product: pages.productPage(visitor, { product: product(1, LONG_WORD, 123_456_789) }),
    'product sold out': pages.productPage(anonymous, { product: product(1, LONG_TEXT, 0) }),
    cart: pages.cartPage(visitor, { cart, idempotencyKey: 'a', notice: LONG_TEXT }),
    'cart before login': pages.cartPage(anonymous, { cart, idempotencyKey: 'a' }),
    login: pages.loginPage(anonymous, { email, error: LONG_TEXT, next: '/cart' }),
    orders: pages.ordersPage(visitor, { orders: [order, { ...order, status: 'placed' }] }),
    order: pages.orderPage(visitor, { order, justPlaced: true }),
    error: pages.errorPage(visitor, { status: 404, title: LONG_WORD, message: LONG_TEXT }),
  };
}
