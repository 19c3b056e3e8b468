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

/** Maximum startup time of the shop, as a multiple of a bare `node:http` server. */
const GOAL = 2.5;

const BARE = `require('node:http')
  .createServer((request, response) => response.end('ok'))
  .listen(Number(process.env.PORT), '127.0.0.1');
`;

/** The libraries that the shop loads at startup, without the shop's own code. */
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
 * Runs the benchmark `cold-start`: time from spawn to the first 200 of `/healthz`, which needs no database, for the bundled shop,
 * a bare `node:http` server, and a bundle of the shop's libraries. Returns the exit code: 1 if the goal is missed.
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
    // As in production. Node supports it from version 22 and writes it when the process exits normally.
    const cache = { NODE_COMPILE_CACHE: join(bench.dir, 'compile-cache') };
    const env = { ...SHOP_ENV, ...cache, DATABASE_URL: bench.postgres.url('shop') };
    // One full start creates the tables and fills the compile cache.
    await (await bench.start(env)).process.stop();
    await timeToFirstResponse(script('libraries'), cache, 'SIGTERM');
    return measureInterleaved(
      {
        bare: () => timeToFirstResponse(script('bare'), cache),
        libraries: () => timeToFirstResponse(script('libraries'), cache),
        shop: () => timeToFirstResponse(join(bench.bundle.dir, 'server.js'), env),
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
      : table(['spawn to first 200', 'ms', 'vs. bare'], rows),
  );
  return ratio <= GOAL ? 0 : 1;
}

async function timeToFirstResponse(
  script: string,
  env: Readonly<Record<string, string>>,
  end: NodeJS.Signals = 'SIGKILL',
): Promise<{ ms: number }> {
  const port = await freePort();
  const began = performance.now();
  const child = spawn(process.execPath, [script], { env: { ...env, PORT: String(port) }, stdio: 'ignore' });
  const exited = once(child, 'exit');
  try {
    while ((await getHealth(port)) !== 200) {
      if (child.exitCode !== null) throw new Error(`${script} exited with code ${child.exitCode} before it responded`);
      await sleep(1);
    }
    return { ms: performance.now() - began };
  } finally {
    child.kill(end);
    await exited;
  }
}

/** The status of `/healthz`; undefined when the connection fails. */
function getHealth(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    get({ port, host: '127.0.0.1', path: '/healthz', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on('error', () => resolve(undefined));
  });
}
