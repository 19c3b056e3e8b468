import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import ts from 'typescript';
import { type RedisServer, startRedis } from '../tools/rehearsal/programs/redis';
import { EXPRESS_PACKAGES, linkPackages, MIDDLEWARES } from './support/express-project';
import { describeWith } from './support/needs';

const ROOT = join(__dirname, '..');
const SERVER = 'test/fixtures/express-app/server.ts';

/** Milliseconds. Ends a request without an answer. */
const HANG = 120_000;

/** Requests in progress that load shedding accepts. */
const MAX_CONCURRENT = 128;

/** Copies the files into one folder and compiles them to JavaScript. */
function copyTo(dir: string): void {
  for (const path of [...MIDDLEWARES, SERVER]) {
    const source = readFileSync(join(ROOT, path), 'utf8').replaceAll(/from '\.\.\/.*\//g, "from './");
    const { outputText } = ts.transpileModule(source, {
      compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, esModuleInterop: true },
    });
    writeFileSync(join(dir, `${basename(path, '.ts')}.js`), outputText);
  }
}

describeWith('redis-server', 'a small Express app of copied files', () => {
  let dir: string;
  let redis: RedisServer;
  let app: ChildProcess;
  let lines: AsyncIterator<string>;
  let output: Interface;
  let url: string;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'express-'));
    copyTo(dir);
    linkPackages(dir, EXPRESS_PACKAGES);
    redis = await startRedis({ dir: join(dir, 'redis') });
    const env = { PATH: process.env.PATH, PORT: '0', REDIS_URL: redis.url, SECRET: 'secret', GRACE: '0' };
    app = spawn(process.execPath, [join(dir, 'server.js')], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    output = createInterface({ input: app.stdout as NodeJS.ReadableStream });
    lines = output[Symbol.asyncIterator]();
    url = `http://127.0.0.1:${(await nextLine()).split(' ')[1]}`;
  });

  afterAll(async () => {
    app?.kill('SIGKILL');
    output?.close();
    await redis?.stop();
    rmSync(dir, { recursive: true });
  });

  async function nextLine(): Promise<string> {
    return (await lines.next()).value;
  }

  const get = (path: string, headers?: Record<string, string>) =>
    fetch(url + path, { headers, signal: AbortSignal.timeout(HANG) });
  const jsonOf = async (path: string, headers?: Record<string, string>) => (await get(path, headers)).json();
  const cookieOf = (response: Response) => (response.headers.getSetCookie()[0] as string).split(';')[0] as string;

  test('the fast path answers an anonymous request without Express, and observers see it', async () => {
    const answers = [
      await jsonOf('/products'),
      await jsonOf('/products'),
      await jsonOf('/products', { cookie: 'a=b' }),
    ];
    expect([await nextLine(), await nextLine(), await nextLine()]).toEqual(Array(3).fill('GET /products 200'));
    expect(answers).toEqual([{ renderings: 1 }, { renderings: 1 }, { renderings: 2 }]);
  });

  test('sessions are in Redis', async () => {
    const login = await fetch(`${url}/login`, { method: 'POST' });
    expect(await jsonOf('/me', { cookie: cookieOf(login) })).toEqual({ user: 'ada' });
    expect(await redis.command('KEYS', '*')).toMatch(/^sess:\S+$/);
  });

  test('read-your-writes: the writer reads from the primary', async () => {
    const write = await fetch(`${url}/notes`, { method: 'POST' });
    expect(await jsonOf('/notes', { cookie: cookieOf(write) })).toEqual({ from: 'primary' });
    expect(await jsonOf('/notes')).toEqual({ from: 'replica' });
  });

  test('load shedding refuses a request that waits too long, and drain completes those in progress', async () => {
    const requests = Array.from({ length: MAX_CONCURRENT + 1 }, () => get('/slow'));
    for (let known = 0; known < requests.length; ) if (/\/slow/.test(await nextLine())) known += 1;
    expect(await jsonOf('/readyz')).toEqual({ status: 'ready' });

    app.kill('SIGTERM');
    const responses = await Promise.all(requests);
    const shed = responses.filter(({ status }) => status === 503);
    const served = responses.filter(({ status }) => status === 200);
    // On a slow machine, more of them wait too long.
    expect(shed.length).toBeGreaterThan(0);
    expect(served.length).toBe(requests.length - shed.length);
    expect(new Set(shed.map(({ headers }) => headers.get('retry-after')))).toEqual(new Set(['1']));
    expect(new Set(served.map(({ headers }) => headers.get('connection')))).toEqual(new Set(['close']));
    expect(await served[0]?.json()).toEqual({ status: 'draining' });
    const [code] = app.exitCode === null ? await once(app, 'exit') : [app.exitCode];
    expect(code).toBe(0);
  });
});
