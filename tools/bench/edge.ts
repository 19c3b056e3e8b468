import { join } from 'node:path';
import { startEdgeCache } from '../rehearsal/programs/edge-cache';
import { checkCpuTimes, cpuSeconds } from '../rehearsal/programs/process-tree';
import { checkParts } from '../support/doctor';
import { table } from '../support/table';
import { startBare } from './bare';
import { cheapFullLoad } from './h2load';
import { place } from './processors';
import { type BenchOptions, brief, measureInTurn } from './rounds';
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
  checkCpuTimes('bench edge');
  checkParts('bench edge', ['haproxy', 'h2load']);
  const { edge, express, hits } = await ShopBench.run(async (bench) => {
    const shop = await bench.serve('shop');
    const list = await (await fetch(shop.url + PATH)).json();
    const cache = await startEdgeCache({ dir: join(bench.dir, 'edge'), origin: shop.process.port });
    bench.onClose(cache.stop);
    place(cache.pid, 'measured');
    const bare = await startBare(bench, { serves: 'list', list });
    const measure =
      ({ url, pid }: { url: string; pid: number }) =>
      async () => {
        const before = cpuSeconds(pid);
        const rps = await cheapFullLoad({ url: url + PATH, connections: CONNECTIONS, seconds: SECONDS });
        return { rps, perCpuSecond: (rps * SECONDS) / (cpuSeconds(pid) - before) };
      };
    const seen = await measureInTurn({ express: measure(bare), edge: measure(cache) }, options);
    const counters = await cache.counters();
    return { ...seen, hits: counters.hits / counters.lookups };
  });
  const ratio = edge.perCpuSecond / express.perCpuSecond;
  const rows = [
    ['bare Express 5', brief(express.perCpuSecond), brief(express.rps)],
    ['the edge', brief(edge.perCpuSecond), brief(edge.rps)],
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
