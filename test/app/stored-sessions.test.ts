import type { IncomingMessage } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { sign } from 'cookie-signature';
import { StoredSessions } from '../../app/sessions/stored';
import { memoryStore } from '../../app/sessions/stores';

const SECRET = 'a secret for tests, long enough for a signature';
const HEADER_BYTES = 15_000;

const requestWith = (cookie: string) => ({ headers: { cookie } }) as IncomingMessage;

test('a verified cookie does not keep the other cookies of its request in memory', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const sessions = new StoredSessions(memoryStore(), SECRET);
  const count = 2_000;
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  for (let index = 0; index < count; index += 1) {
    // As from a socket: one flat string for the whole header.
    const header = Buffer.from(`sid=s:${sign(`id-${index}`, SECRET)}; other=${'x'.repeat(HEADER_BYTES)}`).toString();
    await sessions.read(requestWith(header));
  }
  collectGarbage();
  expect(process.memoryUsage().heapUsed - before).toBeLessThan((count * HEADER_BYTES) / 4);
  // Its cookies must not be collected before.
  await sessions.read(requestWith(''));
});

test('a cookie with a changed id or signature is no session, also after a valid one', async () => {
  const store = memoryStore();
  store.set('known', { userId: 'ada' } as never);
  const sessions = new StoredSessions(store, SECRET);
  const valid = `s:${sign('known', SECRET)}`;
  expect(await sessions.read(requestWith(`sid=${valid}`))).toEqual({ userId: 'ada' });
  expect(await sessions.read(requestWith(`sid=${valid}`))).toEqual({ userId: 'ada' });
  for (const cookie of [valid.slice(0, -1), `${valid}x`, valid.replace('known', 'other'), 's:known', '__proto__']) {
    expect(await sessions.read(requestWith(`sid=${cookie}`))).toEqual({});
  }
  store.destroy('known');
  expect(await sessions.read(requestWith(`sid=${valid}`))).toEqual({});
});
