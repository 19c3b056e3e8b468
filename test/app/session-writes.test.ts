import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Request } from 'express';
import session from 'express-session';
import { openSession, saveSession, startSession } from '../../app/sessions';
import { StoredSessions } from '../../app/sessions/stored';
import { Visitor } from '../support/shop';

const USER = { userId: 'user', email: 'ann@example.com', cartId: 'cart' };

/** Counts writes. */
class CountingStore extends session.MemoryStore {
  sets = 0;
  destroys = 0;
  isDown = false;

  override set(id: string, data: session.SessionData, done?: (error?: unknown) => void): void {
    this.sets += 1;
    if (this.isDown) done?.(Object.assign(new Error('no answer'), { status: 503 }));
    else super.set(id, data, done);
  }

  override destroy(id: string, done?: (error?: unknown) => void): void {
    this.destroys += 1;
    super.destroy(id, done);
  }
}

let store: CountingStore;
let server: Server;
let visitor: Visitor;

beforeEach(async () => {
  store = new CountingStore();
  const withSession = openSession(new StoredSessions(store, 'a secret for tests'));
  const app = express().set('env', 'test');
  const post = (path: string, change: (request: Request) => Promise<void>) => {
    app.post(path, ...withSession, async (request, response) => {
      await change(request);
      response.json(request.visitor);
    });
  };
  post('/login', (request) => startSession(request, USER));
  post('/cart', async (request) => {
    request.session.cartId = USER.cartId;
    await saveSession(request);
  });
  post('/read', async () => {});
  server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  visitor = new Visitor(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

test('a login writes the session once', async () => {
  expect((await visitor.post('/login')).status).toBe(200);
  expect(store.sets).toBe(1);
  expect((await visitor.post('/read')).json).toMatchObject(USER);
});

test('a login of a visitor with a session removes that one and writes the other once', async () => {
  await visitor.post('/cart');
  const before = visitor.cookies.get('sid');
  await visitor.post('/login');
  expect(visitor.cookies.get('sid')).not.toBe(before);
  expect([store.sets, store.destroys]).toEqual([2, 1]);
});

test('a saved change writes the session once, and a request without a change does not', async () => {
  await visitor.post('/cart');
  expect(store.sets).toBe(1);
  await visitor.post('/cart');
  expect(store.sets).toBe(2);
  await visitor.post('/read');
  expect(store.sets).toBe(2);
});

test.each(['/login', '/cart'])('a failed write of %s is not repeated at the end of the response', async (path) => {
  store.isDown = true;
  const answer = await visitor.post(path);
  expect([answer.status, answer.headers.get('set-cookie')]).toEqual([503, null]);
  expect(store.sets).toBe(1);
});
