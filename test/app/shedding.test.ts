import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { pino } from 'pino';
import { LoadShedding } from '../../app/http/load-shedding';
import { requestLog } from '../../app/http/request-log';
import { logShedRequests } from '../../app/process/shedding';
import { eventually } from '../support/shop';

/** Requests of one lane in progress. */
const MAX_CONCURRENT = 128;

let server: Server;
let shedding: LoadShedding;
let sockets: Socket[];
/** Requests that the server has read. */
let arrived: number;
/** Responses in progress of `/slow`. */
let slow: ServerResponse[];
/** The time that load shedding sees, in milliseconds. Only tests advance it, so a busy machine sheds nothing. */
let clock: number;
/** Called for each request that is not shed, except `/slow`. */
let work: () => void;

beforeEach(async () => {
  sockets = [];
  slow = [];
  arrived = 0;
  clock = 1_000;
  work = () => {};
  jest.spyOn(performance, 'now').mockImplementation(() => clock);
  shedding = new LoadShedding({
    exempt: /^\/health$/,
    fromMemory: /^\/memory$/,
    refusal: (url) => ({ contentType: 'text/plain', body: `busy: ${url}` }),
  });
  const guarded = shedding.guard((request, response) => {
    if (request.url === '/slow') {
      slow.push(response);
      return;
    }
    work();
    response.end();
  });
  server = createServer((request, response) => {
    arrived += 1;
    guarded(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(async () => {
  jest.restoreAllMocks();
  for (const socket of sockets) socket.destroy();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

/** Sends pipelined requests: the server reads all of them in one event-loop iteration. */
function send(count: number, path = '/'): { readonly statuses: Promise<number[]> } {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  sockets.push(socket);
  let text = '';
  const statuses = new Promise<number[]>((resolve) => {
    socket.on('data', (data) => {
      text += data;
      const found = [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));
      if (found.length === count) resolve(found);
    });
  });
  socket.write(`GET ${path} HTTP/1.1\r\nhost: shop\r\n\r\n`.repeat(count));
  return { statuses };
}

/** As {@link send}. Resolves when the server has read the requests. */
async function arrive(count: number, path = '/'): Promise<{ readonly statuses: Promise<number[]> }> {
  const before = arrived;
  const sent = send(count, path);
  await eventually(() => arrived === before + count);
  return sent;
}

/** Fills the lane with requests that do not end before the returned function is called. */
async function fillLane(): Promise<() => void> {
  for (let count = 0; count < MAX_CONCURRENT; count += 1) send(1, '/slow');
  await eventually(() => slow.length === MAX_CONCURRENT);
  return () => {
    for (const response of slow) response.end();
  };
}

const allOf = (count: number, status: number) => Array(count).fill(status);

test('a burst that waits at most 200 ms is no overload, however large', async () => {
  const release = await fillLane();
  const burst = await arrive(300);
  clock += 200;
  release();
  expect(await burst.statuses).toEqual(allOf(300, 200));
  expect(shedding.counters.shed).toBe(0);
});

test('a request that has waited longer is shed, and the next one is not', async () => {
  const release = await fillLane();
  const burst = await arrive(60);
  clock += 201;
  expect(await burst.statuses).toEqual(allOf(60, 503));
  expect(shedding.counters.shed).toBe(60);
  release();
  expect(await send(1).statuses).toEqual([200]);
});

test('in a queue that has not been empty for 200 ms, the limit is 100 ms', async () => {
  const release = await fillLane();
  const first = await arrive(1);
  clock += 150;
  const second = await arrive(1);
  clock += 51;
  expect(await first.statuses).toEqual([503]);
  clock += 49;
  const third = await arrive(1);
  expect(shedding.counters.shed).toBe(1);
  clock += 1;
  expect(await second.statuses).toEqual([503]);
  release();
  expect(await third.statuses).toEqual([200]);
});

test('a slow first request does not shed the requests that arrived with it', async () => {
  work = () => {
    clock += arrived === 1 ? 150 : 1;
  };
  expect(await send(40).statuses).toEqual(allOf(40, 200));
});

test('the event loop reads from the sockets after 10 ms of work', async () => {
  const order: string[] = [];
  work = () => {
    if (order.length === 0) setImmediate(() => order.push('iteration'));
    order.push('request');
    clock += 6;
  };
  await send(6).statuses;
  expect(order).toEqual(['request', 'request', 'request', 'request', 'iteration', 'request', 'request']);
});

test('a waiting request starts when one in progress ends', async () => {
  await fillLane();
  const waiting = await arrive(1);
  slow[0]?.end();
  expect(await waiting.statuses).toEqual([200]);
});

test('a request whose client has left is not processed', async () => {
  const release = await fillLane();
  await arrive(1);
  let processed = 0;
  work = () => {
    processed += 1;
  };
  sockets.at(-1)?.destroy();
  await eventually(
    async () => new Promise((done) => server.getConnections((_, count) => done(count === MAX_CONCURRENT))),
  );
  release();
  expect(await send(1).statuses).toEqual([200]);
  expect(processed).toBe(1);
});

test('a full lane sheds neither health checks nor responses from memory', async () => {
  await fillLane();
  const others = await arrive(2);
  clock += 201;
  expect(await others.statuses).toEqual([503, 503]);
  expect(await send(2, '/memory').statuses).toEqual([200, 200]);
  expect(await send(2, '/health').statuses).toEqual([200, 200]);
});

test('one log line counts the shed requests of a second, and their own lines are omitted', async () => {
  const lines: unknown[] = [];
  const log = pino({ base: null, timestamp: false }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const omitting = requestLog(log, { trustProxy: 0, isOmitted: (response) => shedding.isRefusal(response) });
  const ended: ServerResponse[] = [];
  server.on('request', (request, response) => {
    response.once('close', () => {
      ended.push(response);
      omitting({ request, response, url: request.url ?? '', ms: 1 });
    });
  });
  await fillLane();
  const waiting = await arrive(2);
  clock += 201;
  expect(await waiting.statuses).toEqual([503, 503]);
  await send(1, '/health').statuses;
  await eventually(() => ended.length === 3);
  const stop = logShedRequests(log, shedding);
  stop();
  stop();
  expect(lines).toEqual([
    { level: 30, method: 'GET', path: '/health', status: 200, ms: 1, ip: '127.0.0.1', msg: 'request' },
    { level: 40, requests: 2, msg: 'shed requests' },
  ]);
});

test('a shed request says when to retry', async () => {
  await fillLane();
  const response = fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await eventually(() => arrived === MAX_CONCURRENT + 1);
  clock += 201;
  const { status, headers } = await response;
  expect([status, headers.get('retry-after'), await (await response).text()]).toEqual([503, '1', 'busy: /']);
});
