import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { messageClasses } from '../../app/http/message-classes';

test('node:http creates the requests and responses of the app', async () => {
  const app = express();
  app.get('/greeting', (request, response) => {
    response.json({ host: request.get('Host'), isOfApp: request.app === app && response.app === app });
  });
  const classes = messageClasses(app);
  const prototypes: unknown[] = [];
  const seen = await responseOf(classes, (request, response) => {
    prototypes.push(Object.getPrototypeOf(request), Object.getPrototypeOf(response));
    app(request, response);
    prototypes.push(Object.getPrototypeOf(request), Object.getPrototypeOf(response));
  });
  expect(seen).toEqual({ host: expect.stringMatching(/^127/), isOfApp: true });
  expect(prototypes).toEqual([app.request, app.response, app.request, app.response]);
});

test('an app that is mounted on it keeps its own requests and responses', async () => {
  const app = express();
  const mounted = express();
  Object.assign(mounted.request, { name: 'mounted' });
  mounted.get('/greeting', (request, response) => {
    response.json({ name: (request as { name?: string }).name, isOfMounted: request.app === mounted });
  });
  app.use(mounted);
  expect(await responseOf(messageClasses(app), app)).toEqual({ name: 'mounted', isOfMounted: true });
});

async function responseOf(classes: ReturnType<typeof messageClasses>, handle: RequestListener): Promise<unknown> {
  const server = createServer(classes, handle).listen(0, '127.0.0.1');
  try {
    await once(server, 'listening');
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/greeting`);
    return await response.json();
  } finally {
    server.close();
  }
}
