import { on, once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { LoadShedding } from '../../app/http/load-shedding';

/** Milliseconds, above the limit for one event-loop iteration. */
const LONG = 100;

let server: Server;
let slow: boolean;

beforeEach(async () => {
  slow = true;
  server = createServer((_request, response) => {
    // Blocks the event loop during the first request.
    if (slow) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LONG);
    slow = false;
    response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(() => server.close());

/** Returns the statuses of `count` requests that become readable in the same event-loop iteration. */
async function inOneIteration(count: number): Promise<number[]> {
  const { port } = server.address() as AddressInfo;
  const sockets = Array.from({ length: count }, () => connect(port, '127.0.0.1'));
  await Promise.all([...sockets.map((socket) => once(socket, 'connect')), accepted(count)]);
  const answers = sockets.map(async (socket) => {
    const [head] = await once(socket, 'data');
    socket.destroy();
    return Number(String(head).split(' ')[1]);
  });
  for (const socket of sockets) socket.write('GET / HTTP/1.1\r\nhost: shop\r\n\r\n');
  return Promise.all(answers);
}

async function accepted(count: number): Promise<void> {
  let connections = 0;
  for await (const _ of on(server, 'connection')) {
    connections += 1;
    if (connections === count) return;
  }
}

test('a long event-loop iteration with the requests of one browser is no overload', async () => {
  new LoadShedding().guard(server);
  expect(await inOneIteration(6)).toEqual(Array(6).fill(200));
});

test('of many requests in a long event-loop iteration, the last ones are shed', async () => {
  const shedding = new LoadShedding();
  shedding.guard(server);
  const statuses = await inOneIteration(40);
  expect(statuses.filter((status) => status === 200)).toHaveLength(16);
  expect(statuses.filter((status) => status === 503)).toHaveLength(24);
  expect(shedding.counters.shed).toBe(24);
});

test('the event-loop iteration after a long one accepts all requests again', async () => {
  new LoadShedding().guard(server);
  await inOneIteration(40);
  expect(await inOneIteration(16)).toEqual(Array(16).fill(200));
});
