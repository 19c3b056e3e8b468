import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildSync } from 'esbuild';
import { type AppBundle, SCRIPT } from '../support/app-bundle';
import { freePort } from '../support/processes';
import { table } from '../support/table';
import { buildShopAt } from './against';
import { type AgainstOptions, measureInterleaved, threeDigits } from './rounds';
import { SHOP_ENV, ShopBench } from './shop';

/** Maximum startup time of the shop, as a multiple of a bare `node:http` server. */
const GOAL = 2.5;

const BARE = `require('node:http')
  .createServer((request, response) => response.end('ok'))
  .listen(Number(process.env.PORT), '127.0.0.1');
`;

/** Maximum startup time of the shop, as a multiple of that of `--against`. Medians of the same bundle differ by a few percent. */
const MAX_AGAINST = 1.05;

/**
 * A bare server that first loads the packages that the shop loads at startup, without the shop's own code. All of a package is
 * loaded, also where the shop's bundle has only the exports in use.
 */
function librariesAlone(): string {
  const packages = packagesAtStartup();
  const imports = packages.map((name, index) => `import * as package${index} from '${name}';`);
  // Used, so that the bundler keeps them.
  return `${imports.join('\n')}
globalThis.packages = [${packages.map((_, index) => `package${index}`).join(', ')}];
${BARE}process.once('SIGTERM', () => process.exit());
`;
}

/** The packages that the server's files import statically. Packages on first use are imported dynamically. */
function packagesAtStartup(): string[] {
  const entry = 'app/server.ts';
  const { metafile } = buildSync({ ...SCRIPT, entryPoints: [entry], packages: 'external', write: false });
  const files = new Set([entry]);
  const packages = new Set<string>();
  for (const file of files) {
    for (const { path, kind, external } of metafile.inputs[file]?.imports ?? []) {
      if (!external) files.add(path);
      else if (kind === 'import-statement' && !isBuiltin(path)) packages.add(path);
    }
  }
  return [...packages].sort();
}

/**
 * Runs the benchmark `cold-start`: time from spawn to the first 200 of `/healthz`, which needs no database, for the bundled shop,
 * a bare `node:http` server, and a bundle of the shop's libraries. Returns the exit code: 1 if a goal is missed.
 */
export async function benchColdStart(options: AgainstOptions): Promise<number> {
  const at = options.against === undefined ? undefined : buildShopAt(options.against);
  const seen = await ShopBench.run(async (bench) => {
    const script = (name: string) => join(bench.dir, name, 'server.js');
    mkdirSync(join(bench.dir, 'bare'));
    writeFileSync(script('bare'), BARE);
    buildSync({
      ...SCRIPT,
      stdin: { contents: librariesAlone(), resolveDir: __dirname },
      outfile: script('libraries'),
    });
    // As in production. Node supports it from version 22 and writes it when the process exits normally.
    const cache = { NODE_COMPILE_CACHE: join(bench.dir, 'compile-cache') };
    const shop = async (database: string, bundle: AppBundle) => {
      // One full start creates the tables and fills the compile cache.
      await (await bench.serve(database, cache, bundle)).process.stop();
      const env = { ...SHOP_ENV, ...cache, DATABASE_URL: bench.postgres.url(database) };
      return () => timeToFirstResponse(join(bundle.dir, 'server.js'), env);
    };
    await timeToFirstResponse(script('libraries'), cache, 'SIGTERM');
    return measureInterleaved(
      {
        bare: () => timeToFirstResponse(script('bare'), cache),
        libraries: () => timeToFirstResponse(script('libraries'), cache),
        other: at && (await shop('other', at.bundle)),
        shop: await shop('shop', bench.bundle),
      },
      options,
    );
  });
  const ratio = seen.shop.ms / seen.bare.ms;
  const against = seen.other && {
    commit: at?.commit,
    ms: seen.other.ms,
    ratio: seen.shop.ms / seen.other.ms,
    goal: MAX_AGAINST,
  };
  const row = (title: string, { ms }: { ms: number }) => [title, threeDigits(ms), `${(ms / seen.bare.ms).toFixed(2)}x`];
  const rows = [
    row('bare node:http', seen.bare),
    row("the shop's libraries alone", seen.libraries),
    ...(seen.other ? [row(`the shop at ${at?.commit}`, seen.other)] : []),
    row('the shop', seen.shop),
    ['goal', '', `at most ${GOAL}x`],
  ];
  const note = against
    ? `\n\nThe shop, as a multiple of ${against.commit}: ${against.ratio.toFixed(2)}x (goal: at most ${MAX_AGAINST}x).`
    : '';
  const times = { bareMs: seen.bare.ms, librariesMs: seen.libraries.ms, shopMs: seen.shop.ms };
  console.log(
    options.json
      ? JSON.stringify({ rounds: options.rounds, ...times, against, goal: GOAL, ratio }, null, 2)
      : table(['spawn to first 200', 'ms', 'vs. bare'], rows) + note,
  );
  return ratio <= GOAL && (against === undefined || against.ratio <= MAX_AGAINST) ? 0 : 1;
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
