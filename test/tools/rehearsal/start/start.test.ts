import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningShop, type StartOptions, startLocally } from '../../../../tools/rehearsal/start/start';
import { freePort } from '../../../../tools/support/processes';
import { sql, Visitor } from '../../../support/shop';

let dir: string;
/** Runs to stop after a failed test. */
const started: RunningShop[] = [];

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'shop-start-'));
});

afterAll(async () => {
  await Promise.all(started.map((running) => running.stop()));
  rmSync(dir, { recursive: true, force: true });
});

test('phase 2 connects to its database by TLS only, phase 1 by socket; --fresh deletes the data', async () => {
  const start = async (phase: 1 | 2, fresh = false) => {
    const options: StartOptions = {
      phase,
      port: await freePort(),
      dir: join(dir, 'shapes'),
      fresh,
      onProgress: () => {},
    };
    const running = await startLocally(options);
    started.push(running);
    return running;
  };

  const one = await start(1);
  const email = await new Visitor(one.url).signUp();
  expect(await sql(one.database.url(), 'SELECT 1 AS reached')).toEqual([{ reached: 1 }]);
  expect(one.database.port).toBeUndefined();
  await one.stop();

  const two = await start(2);
  await new Visitor(two.url).logIn(email);
  const connections = await sql(
    two.database.url(),
    "SELECT ssl, client_addr FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'shop'",
  );
  expect(connections.length).toBeGreaterThan(0);
  expect(connections.filter(({ ssl, client_addr }) => !ssl || client_addr === null)).toEqual([]);
  await expect(sql(two.database.url().replace(/\?.*/, '?sslmode=disable'), 'SELECT 1')).rejects.toThrow(
    /no encryption/,
  );
  await two.stop();

  const fresh = await start(1, true);
  await expect(new Visitor(fresh.url).logIn(email)).rejects.toThrow();
  await fresh.stop();
});
