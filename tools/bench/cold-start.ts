import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildSync } from 'esbuild';
import { SCRIPT } from '../support/app-bundle';
import { freePort } from '../support/processes';
import { table } from '../support/table';
import { type BenchOptions, measureInterleaved, threeDigits } from './rounds';
import { SHOP_ENV, ShopBench } from './shop';

/** The shop may take this many times as long as a server that does nothing. */
const GOAL = 2.5;

const BARE = `require('node:http')
  .createServer((request, response) => response.end('ok'))
  .listen(Number(process.env.PORT), '127.0.0.1');
`;

/** What the shop loads when it starts, without a line of the shop. */
const LIBRARIES = `
require('ajv');
require('pg');
require('rate-limiter-flexible');
require('@fastify/session');
require('@sinclair/typebox/value');
const app = require('fastify')();
app.register(require('@fastify/cookie'));
app.register(require('@fastify/formbody'));
app.register(require('@fastify/helmet'));
app.register(require('@fastify/static'), { root: __dirname });
app.get('/healthz', () => 'ok');
app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });
process.once('SIGTERM', () => process.exit());
`;

/**
 * The bench `cold-start`: from the spawn of a process to its first 200, for the bundled shop, for a bare `node:http` server,
 * and for the shop's libraries alone in a bundle like its own. What is asked is `/healthz`, which a balancer asks first, and
 * which needs no database. Returns the exit code: 1 when the goal is missed.
 */
export async function benchColdStart(options: BenchOptions): Promise<number> {
  const seen = await ShopBench.run(async (bench) => {
    await bench.postgres.createDatabase('shop');
    const script = (name: string) => join(bench.dir, name, 'server.js');
    mkdirSync(join(bench.dir, 'bare'));
    writeFileSync(script('bare'), BARE);
    buildSync({
      ...SCRIPT,
      stdin: { contents: LIBRARIES, resolveDir: __dirname },
      outfile: script('libraries'),
    });
    // As on a server; Node knows of it from version 22 on, and writes it when a process ends by itself.
    const cache = { NODE_COMPILE_CACHE: join(bench.dir, 'compile-cache') };
    const env = { ...SHOP_ENV, ...cache, DATABASE_URL: bench.postgres.url('shop') };
    // Once in full: then the tables are there, and compiled code in the cache.
    await (await bench.start(env)).process.stop();
    await firstAnswer(script('libraries'), cache, 'SIGTERM');
    return measureInterleaved(
      {
        bare: () => firstAnswer(script('bare'), cache),
        libraries: () => firstAnswer(script('libraries'), cache),
        shop: () => firstAnswer(join(bench.bundle.dir, 'server.js'), env),
      },
      options,
    );
  });
  const result = { rounds: options.rounds, bareMs: seen.bare.ms, librariesMs: seen.libraries.ms, shopMs: seen.shop.ms };
  const ratio = seen.shop.ms / seen.bare.ms;
  const rows = [
    ['bare node:http', threeDigits(seen.bare.ms), ''],
    ["the shop's libraries alone", threeDigits(seen.libraries.ms), `${(seen.libraries.ms / seen.bare.ms).toFixed(2)}x`],
    ['the shop', threeDigits(seen.shop.ms), `${ratio.toFixed(2)}x (goal: at most ${GOAL}x)`],
  ];
  console.log(
    options.json
      ? JSON.stringify({ ...result, goal: GOAL, ratio }, null, 2)
      : table(['spawn to first 200', 'ms', 'of bare'], rows),
  );
  return ratio <= GOAL ? 0 : 1;
}

async function firstAnswer(
  script: string,
  env: Readonly<Record<string, string>>,
  end: NodeJS.Signals = 'SIGKILL',
): Promise<{ ms: number }> {
  const port = await freePort();
  const began = performance.now();
  const child = spawn(process.execPath, [script], { env: { ...env, PORT: String(port) }, stdio: 'ignore' });
  const exited = once(child, 'exit');
  try {
    while ((await healthOf(port)) !== 200) {
      if (child.exitCode !== null) throw new Error(`${script} ended with ${child.exitCode} instead of answering`);
      await sleep(1);
    }
    return { ms: performance.now() - began };
  } finally {
    child.kill(end);
    await exited;
  }
}

function healthOf(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    get({ port, host: '127.0.0.1', path: '/healthz', agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    }).on('error', () => resolve(undefined));
  });
}
