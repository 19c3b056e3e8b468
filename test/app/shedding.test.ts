import { on, once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { LoadShedding } from '../../app/http/load-shedding';

let server: Server;
let shedding: LoadShedding;

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function serve(handle: RequestListener): Promise<void> {
  shedding = new LoadShedding({
    exempt: /^\/health$/,
    fromMemory: /^\/memory$/,
    refusal: (url) => ({ contentType: 'text/plain', body: `busy: ${url}` }),
  });
  server = createServer(shedding.guard(handle)).listen(0, '127.0.0.1');
  await once(server, 'listening');
}

/** Blocks the event loop, as CPU work does. */
function work(milliseconds: number): void {
  for (const end = performance.now() + milliseconds; performance.now() < end; );
}

/** Sends `count` requests at once. Resolves to the statuses of the responses. */
async function burst(count: number, path = '/'): Promise<number[]> {
  const { port } = server.address() as AddressInfo;
  const sockets = Array.from({ length: count }, () => connect(port, '127.0.0.1'));
  await Promise.all([...sockets.map((socket) => once(socket, 'connect')), accepted(count)]);
  const answers = sockets.map(async (socket) => {
    const [head] = await once(socket, 'data');
    socket.destroy();
    return Number(String(head).split(' ')[1]);
  });
  for (const socket of sockets) socket.write(`GET ${path} HTTP/1.1\r\nhost: shop\r\n\r\n`);
  return Promise.all(answers);
}

async function accepted(count: number): Promise<void> {
  let connections = 0;
  for await (const _ of on(server, 'connection')) {
    connections += 1;
    if (connections === count) return;
  }
}

const allOf = (count: number, status: number) => Array(count).fill(status);

test('a burst that takes less than the maximum wait is no overload', async () => {
  await serve((_request, response) => {
    work(1);
    response.end();
  });
  expect(await burst(60)).toEqual(allOf(60, 200));
});

test('a slow first request does not shed the requests that arrived with it', async () => {
  let calls = 0;
  await serve((_request, response) => {
    calls += 1;
    if (calls === 1) work(100);
    response.end();
  });
  expect(await burst(40)).toEqual(allOf(40, 200));
});

test('requests that would wait longer are shed, and the next ones are not', async () => {
  await serve((_request, response) => {
    work(20);
    response.end();
  });
  const statuses = await burst(60);
  const served = statuses.filter((status) => status === 200).length;
  // In 200 ms, ten requests of 20 ms. The clients of a slow machine may send the others later.
  expect(served).toBeGreaterThanOrEqual(9);
  expect(served).toBeLessThan(60);
  expect(shedding.counters.shed).toBe(60 - served);
  expect(await burst(1)).toEqual([200]);
});

test('more requests in progress than the limit wait, and are shed if none of these ends', async () => {
  const open: (() => void)[] = [];
  await serve((_request, response) => {
    open.push(() => response.end());
  });
  const waiting = burst(130);
  while (open.length < 128) await sleep(5);
  // The others wait no longer than a slow database blocks them.
  while (shedding.counters.shed < 2) await sleep(5);
  expect(open).toHaveLength(128);
  for (const end of open) end();
  expect((await waiting).filter((status) => status === 503)).toHaveLength(2);
});

test('a waiting request starts when one in progress ends', async () => {
  const open: (() => void)[] = [];
  await serve((_request, response) => {
    open.push(() => response.end());
    // One at a time, so that one that waits starts at once.
    if (open.length > 128) response.end();
  });
  const waiting = burst(129);
  while (open.length < 128) await sleep(1);
  for (const end of open.slice(0, 128)) end();
  expect(await waiting).toEqual(allOf(129, 200));
});

test('a blocked lane sheds neither health checks nor responses from memory', async () => {
  await serve((request, response) => {
    if (request.url !== '/') response.end();
  });
  const { port } = server.address() as AddressInfo;
  const blocking = Array.from({ length: 128 }, () => connect(port, '127.0.0.1'));
  for (const socket of blocking) socket.write('GET / HTTP/1.1\r\nhost: shop\r\n\r\n');
  expect(await burst(2)).toEqual([503, 503]);
  expect(await burst(2, '/memory')).toEqual([200, 200]);
  expect(await burst(2, '/health')).toEqual([200, 200]);
  for (const socket of blocking) socket.destroy();
});

test('a shed request says when to retry', async () => {
  await serve(() => {});
  const { port } = server.address() as AddressInfo;
  const blocking = Array.from({ length: 128 }, () => connect(port, '127.0.0.1'));
  for (const socket of blocking) socket.write('GET / HTTP/1.1\r\nhost: shop\r\n\r\n');
  const response = await fetch(`http://127.0.0.1:${port}/`);
  expect([response.status, response.headers.get('retry-after'), await response.text()]).toEqual([503, '1', 'busy: /']);
  for (const socket of blocking) socket.destroy();
});
