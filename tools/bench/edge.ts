import { join } from 'node:path';
import { startEdgeCache } from '../rehearsal/programs/edge-cache';
import { checkCpuTold, cpuSeconds } from '../rehearsal/programs/process-tree';
import { checkParts } from '../support/doctor';
import { table } from '../support/table';
import { startBareServer } from './bare';
import { pinCpus } from './cpu-affinity';
import { runH2load } from './h2load';
import { type BenchOptions, measureInterleaved, threeDigits } from './rounds';
import { ShopBench } from './shop';

const CONNECTIONS = 40;
const SECONDS = 3;
const PATH = '/api/products';

/** The edge gives this many times as many answers for a second of a processor. */
const GOAL = 10;

/**
 * The bench `edge`: the first page of the catalogue from the cache in CloudFront's place, against a bare Express 5 that has the
 * same list at hand and sends it with `res.json`. What is compared is answers for a second of CPU time, so that it does not
 * matter how much of it the source of the load leaves. Returns the exit code: 1 when the goal is missed.
 *
 * @throws UsageError when a program is missing
 * @throws where there is no /proc
 */
export async function benchEdge(options: BenchOptions): Promise<number> {
  checkCpuTold('bench edge');
  checkParts('bench edge', ['haproxy', 'h2load']);
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
        const rps = await runH2load({ url: url + PATH, connections: CONNECTIONS, seconds: SECONDS });
        return { rps, perCpuSecond: (rps * SECONDS) / (cpuSeconds(pid) - before) };
      };
    const seen = await measureInterleaved({ express: measure(bare), edge: measure(cache) }, options);
    const counters = await cache.counters();
    return { ...seen, hits: counters.hits / counters.lookups };
  });
  const ratio = edge.perCpuSecond / express.perCpuSecond;
  const rows = [
    ['bare Express 5', threeDigits(express.perCpuSecond), threeDigits(express.rps)],
    ['the edge', threeDigits(edge.perCpuSecond), threeDigits(edge.rps)],
    ['ratio', `${ratio.toFixed(1)}x (goal: at least ${GOAL}x)`, `${(edge.rps / express.rps).toFixed(1)}x`],
  ];
  const result = { rounds: options.rounds, edge, express, hits, ratio, goal: GOAL };
  console.log(
    options.json
      ? JSON.stringify(result, null, 2)
      : `${table(['catalogue', 'answers a CPU second', 'answers a second'], rows)}

The edge answered ${(hits * 100).toFixed(2)}% itself.`,
  );
  return ratio >= GOAL ? 0 : 1;
}
