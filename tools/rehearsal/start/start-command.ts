import { relative } from 'node:path';
import { POSTGRES_MAJOR } from '../../../lib/constants';
import type { BoardSource } from '../board/state';
import type { RehearsedPhase } from '../topology/topology-plan';
import { SHOP_LOG } from './data-folder';
import type { StartOptions } from './start';

const SHAPES: Readonly<Record<RehearsedPhase, string>> = {
  1: `the app and PostgreSQL ${POSTGRES_MAJOR} on one box, joined by a Unix socket`,
  2: `the app, and PostgreSQL ${POSTGRES_MAJOR} as a server of its own, TLS between them`,
  3: `HAProxy before five servers, Redis with a replica, PostgreSQL ${POSTGRES_MAJOR} with two`,
  4: `an edge cache, HAProxy, servers by the template's scaling policies, a queue and its workers, PgBouncer, Redis, PostgreSQL ${POSTGRES_MAJOR} with two replicas`,
};

const TITLE = 'The shop on this machine';

export interface StartCommandOptions extends Omit<StartOptions, 'phase' | 'onProgress'> {
  readonly phase: RehearsedPhase;
  /**
   * TCP port of the board on loopback.
   *
   * @default - a free one
   */
  readonly boardPort?: number | undefined;
}

/** A phase that runs, as the verb needs it. */
interface Running {
  readonly url: string;
  readonly board: BoardSource;
  /** Further lines about it: what, and its value. */
  readonly facts: readonly (readonly [string, string])[];
  /** Settles when the shop ends by itself, which only a box's does: with its exit code, or null when a signal ended it. */
  readonly ended: Promise<number | null>;
  /** Where its log is, for then. */
  readonly log: string;
  /** What outlives it, as a sentence. */
  readonly kept: string;
  stop(): Promise<void>;
}

/** The verb `start`: runs until a signal, or until the shop ends by itself. */
export async function start({ boardPort, ...options }: StartCommandOptions): Promise<void> {
  // A signal that comes while things are still starting must stop them too, once they are there.
  const signal = new Promise<'signal'>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => resolve('signal'));
  });
  const { startBoard } = await import('../board/server.js');
  const running = await startPhase(options);
  const board = await startBoard({ source: running.board, port: boardPort }).catch(async (error) => {
    await running.stop();
    throw error;
  });
  const facts = [
    ['Shop', running.url],
    ['Board', board.url],
    ['Shape', `phase ${options.phase}: ${SHAPES[options.phase]}`],
    ...running.facts,
  ];
  console.log(`
${facts.map(([what = '', value]) => `  ${what.padEnd(10)}${value}`).join('\n')}

  Ctrl-C stops it. ${running.kept}
`);
  const ended = await Promise.race([signal, running.ended]);
  if (ended === 'signal') console.log('  stopping');
  await board.close();
  await running.stop();
  if (ended === 'signal') return;
  throw new Error(`the shop ended by itself (exit code ${ended ?? 'none, a signal'}); see ${running.log}`);
}

async function startPhase({ phase, ...rest }: Omit<StartCommandOptions, 'boardPort'>): Promise<Running> {
  const options = { ...rest, onProgress: (line: string) => console.log(`  … ${line}`) };
  const where = relative(process.cwd(), options.dir) || '.';
  if (phase === 3 || phase === 4) {
    const [{ startOnTopology }, { topologyBoard }] = await Promise.all([
      import('./start-topology.js'),
      import('../board/of-topology.js'),
    ]);
    const { url, topology, evolves, logs, stop } = await startOnTopology({ ...options, phase });
    return {
      url,
      board: topologyBoard(topology, { title: TITLE, evolves }),
      facts: [['Kept in', `${where} (begin anew: --fresh); logs in ${logs} until it stops`]],
      ended: new Promise(() => {}),
      log: logs,
      kept: 'Orders, accounts and their carts are kept; log-ins end with its Redis.',
      stop,
    };
  }
  const [{ startLocally }, { ShopBoard }] = await Promise.all([import('./start.js'), import('../board/of-shop.js')]);
  const shop = await startLocally({ ...options, phase });
  const log = `${where}/${SHOP_LOG}`;
  return {
    url: shop.url,
    board: new ShopBoard(shop, phase, TITLE),
    facts: [
      ['Processes', `shop ${shop.shop.pid}, PostgreSQL ${shop.database.pid}`],
      ['Kept in', `${where} (log: ${log}; begin anew: --fresh)`],
    ],
    ended: shop.ended,
    log,
    kept: 'Orders, carts and log-ins are kept.',
    stop: () => shop.stop(),
  };
}
