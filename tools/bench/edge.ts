import { join } from 'node:path';
import { startEdgeCache } from '../rehearsal/programs/edge-cache';
import { checkCpuTimes, cpuSeconds } from '../rehearsal/programs/process-tree';
import { requirePrograms } from '../support/doctor';
import { table } from '../support/table';
import { startBareServer } from './bare';
import { pinCpus } from './cpu-affinity';
import { runH2load } from './h2load';
import { MAX_FAILED_SHARE } from './load';
import { type BenchOptions, measureInterleaved, percent, threeDigits } from './rounds';
import { ShopBench } from './shop';

const CONNECTIONS = 40;
const SECONDS = 3;
const PATH = '/api/products';

/** Minimum responses per CPU second of the edge, as a multiple of bare Express. */
const GOAL = 10;

/**
 * Runs the benchmark `edge`: the first catalogue page from the local edge cache, which stands in for CloudFront, against bare
 * Express 5, which sends the same list from memory. Compares responses per CPU second, so the load generator's own CPU use does
 * not matter. Returns the exit code: 1 if a goal is missed.
 *
 * @throws UsageError if a program is missing
 * @throws on systems without /proc
 */
export async function benchEdge(options: BenchOptions): Promise<number> {
  checkCpuTimes('bench edge');
  requirePrograms('bench edge', ['haproxy', 'h2load']);
  const { edge, express, hits } = await ShopBench.run(async (bench) => {
    const shop = await bench.serve('shop');
    const list = await (await fetch(shop.url + PATH)).json();
    const cache = await startEdgeCache({ dir: join(bench.dir, 'edge'), origin: shop.process.port });
    bench.onClose(cache.stop);
    pinCpus(cache.pid, 'target');
    const bare = await startBareServer(bench, { serves: 'list', list });
    const measure =
      ({ url, pid }: { url: string; pid: number }) =>
      async () => {
        const before = cpuSeconds(pid);
        const load = await runH2load({ url: url + PATH, connections: CONNECTIONS, seconds: SECONDS });
        return { ...load, perCpuSecond: (load.rps * SECONDS) / (cpuSeconds(pid) - before) };
      };
    const medians = await measureInterleaved({ express: measure(bare), edge: measure(cache) }, options);
    const counters = await cache.counters();
    return { ...medians, hits: counters.hits / counters.lookups };
  });
  const ratio = edge.perCpuSecond / express.perCpuSecond;
  const rows = [
    ['bare Express 5', threeDigits(express.perCpuSecond), threeDigits(express.rps), percent(express.failedShare)],
    ['the edge', threeDigits(edge.perCpuSecond), threeDigits(edge.rps), percent(edge.failedShare)],
    ['ratio', `${ratio.toFixed(1)}x`, `${(edge.rps / express.rps).toFixed(1)}x`, ''],
    ['goal', `at least ${GOAL}x`, '', `at most ${percent(MAX_FAILED_SHARE)}`],
  ];
  const result = { rounds: options.rounds, edge, express, hits, ratio, goal: GOAL, maxFailedShare: MAX_FAILED_SHARE };
  console.log(
    options.json
      ? JSON.stringify(result, null, 2)
      : `${table(['catalogue', 'responses per CPU second', 'responses/s', 'failed'], rows)}

Hit ratio of the edge cache: ${(hits * 100).toFixed(2)}%.`,
  );
  return ratio >= GOAL && edge.failedShare <= MAX_FAILED_SHARE ? 0 : 1;
}
