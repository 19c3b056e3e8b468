import { relative } from 'node:path';
import { POSTGRES_MAJOR } from '../../../lib/constants';
import type { BoardSource } from '../board/state';
import type { RehearsedPhase } from '../topology/topology-plan';
import { SHOP_LOG } from './data-folder';
import type { StartOptions } from './start';

const TOPOLOGIES: Readonly<Record<RehearsedPhase, string>> = {
  1: `the app and PostgreSQL ${POSTGRES_MAJOR} on one instance, connected by a Unix socket`,
  2: `the app, and PostgreSQL ${POSTGRES_MAJOR} as a separate server, connected by TLS`,
  3: `HAProxy, five servers, Redis with a replica, PostgreSQL ${POSTGRES_MAJOR} with two replicas`,
  4: `an edge cache, HAProxy, servers under the template's scaling policies, a queue with workers, PgBouncer, Redis with a replica, PostgreSQL ${POSTGRES_MAJOR} with two replicas`,
};

const TITLE = 'The shop on this machine';

export interface StartCommandOptions extends Omit<StartOptions, 'phase' | 'onProgress'> {
  readonly phase: RehearsedPhase;
  /**
   * TCP port of the board on loopback.
   *
   * @default - a free port
   */
  readonly boardPort?: number | undefined;
}

/** A running phase. */
interface Running {
  readonly url: string;
  readonly board: BoardSource;
  /** Further facts to print: label and value. */
  readonly facts: readonly (readonly [string, string])[];
  /** Resolves to the shop's exit code, or null after a signal. Never settles in phases 3 and 4, which replace servers. */
  readonly ended: Promise<number | null>;
  /** Path of the log, for the error message. */
  readonly log: string;
  /** Sentence about the data that outlives the run. */
  readonly kept: string;
  stop(): Promise<void>;
}

/** Runs the command `start` until a signal, or until the shop exits. */
export async function start({ boardPort, ...options }: StartCommandOptions): Promise<void> {
  // A signal during the start must stop the parts too, once they have started.
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
    ['Topology', `phase ${options.phase}: ${TOPOLOGIES[options.phase]}`],
    ...running.facts,
  ];
  console.log(`
${facts.map(([what = '', value]) => `  ${what.padEnd(10)}${value}`).join('\n')}

  Press Ctrl-C to stop. ${running.kept}
`);
  const ended = await Promise.race([signal, running.ended]);
  if (ended === 'signal') console.log('  stopping');
  await board.close();
  await running.stop();
  if (ended === 'signal') return;
  throw new Error(
    `The shop exited unexpectedly (${ended === null ? 'by a signal' : `exit code ${ended}`}). See ${running.log}.`,
  );
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
      facts: [['Data', `${where} (start over with --fresh); logs in ${logs} until it stops`]],
      ended: new Promise(() => {}),
      log: logs,
      kept: 'Orders, accounts and their carts are kept. Logins are lost with Redis.',
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
      ['Data', `${where} (log: ${log}; start over with --fresh)`],
    ],
    ended: shop.ended,
    log,
    kept: 'Orders, carts and logins are kept.',
    stop: () => shop.stop(),
  };
}
