import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { text } from 'node:stream/consumers';
import { type Endpoint, openEndpoint } from '../../../../tools/rehearsal/programs/endpoint';

const open: (Server | Endpoint)[] = [];

afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

/** Starts a server that answers each request with `name` and the request. */
async function answering(name: string): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let request = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      request += chunk;
    });
    socket.on('end', () => socket.end(`${name}:${request}`));
    socket.on('error', () => {});
  });
  open.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

async function ask(endpoint: Endpoint, chunks: readonly string[]): Promise<string> {
  const socket = connect({ port: endpoint.port, host: '127.0.0.1', noDelay: true });
  for (const chunk of chunks) {
    socket.write(chunk);
    await new Promise(setImmediate);
  }
  socket.end();
  return text(socket);
}

test('new connections reach the new target, open connections keep theirs', async () => {
  const [one, other] = [await answering('one'), await answering('other')];
  const endpoint = await openEndpoint(one);
  open.push(endpoint);
  const before = connect(endpoint.port, '127.0.0.1');
  await once(before, 'connect');
  // The connection to the target exists once data has passed.
  before.write('a');
  await new Promise((resolve) => setTimeout(resolve, 50));
  endpoint.pointTo(other);
  expect(await ask(endpoint, ['b'])).toBe('other:b');
  before.end();
  expect(await text(before)).toBe('one:a');
});

test('added latency delays chunks in order, and can be removed', async () => {
  const endpoint = await openEndpoint(await answering('slow'));
  open.push(endpoint);
  endpoint.delay(100);
  const begin = performance.now();
  const answer = ask(endpoint, ['1', '2', '3']);
  await new Promise((resolve) => setTimeout(resolve, 20));
  endpoint.delay(0);
  expect(await answer).toBe('slow:123');
  expect(performance.now() - begin).toBeGreaterThan(90);
});

test('chunks keep their order while the latency changes', async () => {
  const endpoint = await openEndpoint(await answering('slow'));
  open.push(endpoint);
  endpoint.delay(7);
  const letters = Array.from({ length: 2_000 }, (_, index) => String.fromCharCode(97 + (index % 26)));
  const answer = ask(endpoint, letters);
  const faster = setInterval(() => endpoint.delay(Math.random() * 7), 10);
  try {
    expect(await answer).toBe(`slow:${letters.join('')}`);
  } finally {
    clearInterval(faster);
  }
});

test('a connection closes when the target does not listen', async () => {
  const endpoint = await openEndpoint(1);
  open.push(endpoint);
  const socket = connect(endpoint.port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'close');
});
