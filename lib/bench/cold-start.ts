import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../processes';
import { table } from '../table';
import { type BenchOptions, brief, measureInTurn } from './rounds';
import { SHOP_ENV, ShopBench } from './shop';

/** The shop may take this many times as long as a server that does nothing. */
const GOAL = 2.5;

const BARE = `require('node:http')
  .createServer((request, response) => response.end('ok'))
  .listen(Number(process.env.PORT), '127.0.0.1');
`;

/**
 * The bench `cold-start`: from the spawn of a process to its first 200, for the bundled shop and for a bare `node:http`
 * server. What is asked is `/healthz`, which a balancer asks first, and which needs no database. Returns the exit code: 1
 * when the goal is missed.
 */
export async function benchColdStart(options: BenchOptions): Promise<number> {
  const { bare, shop } = await ShopBench.run(async (bench) => {
    await bench.postgres.createDatabase('shop');
    const bareScript = join(bench.dir, 'bare.js');
    writeFileSync(bareScript, BARE);
    // As on a server; Node knows of it from version 22 on.
    const cache = { NODE_COMPILE_CACHE: join(bench.dir, 'compile-cache') };
    const env = { ...SHOP_ENV, ...cache, DATABASE_URL: bench.postgres.url('shop') };
    // Once in full, so that the tables are there, and the cache of compiled code, which is written at the end.
    await (await bench.start(env)).process.stop();
    return measureInTurn(
      {
        bare: () => firstAnswer(bareScript, cache),
        shop: () => firstAnswer(join(bench.bundle.dir, 'server.js'), env),
      },
      options,
    );
  });
  const result = { rounds: options.rounds, bareMs: bare.ms, shopMs: shop.ms, goal: GOAL };
  const ratio = shop.ms / bare.ms;
  const rows = [
    ['bare node:http', brief(bare.ms)],
    ['the shop', brief(shop.ms)],
    ['ratio', `${ratio.toFixed(2)}x (goal: at most ${GOAL}x)`],
  ];
  console.log(options.json ? JSON.stringify({ ...result, ratio }, null, 2) : table(['spawn to first 200', 'ms'], rows));
  return ratio <= GOAL ? 0 : 1;
}

async function firstAnswer(script: string, env: Readonly<Record<string, string>>): Promise<{ ms: number }> {
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
    child.kill('SIGKILL');
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
