import { relative } from 'node:path';
import { POSTGRES_MAJOR } from '../constants';
import { shopBoard } from './board/of-shop';
import { startBoard } from './board/server';
import { SHOP_LOG, type StartOptions, startLocally } from './start';

const SHAPES = {
  1: `the app and PostgreSQL ${POSTGRES_MAJOR} on one box, joined by a Unix socket`,
  2: `the app, and PostgreSQL ${POSTGRES_MAJOR} as a server of its own, TLS between them`,
} as const;

export interface StartVerbOptions extends Omit<StartOptions, 'say'> {
  /**
   * TCP port of the board on loopback.
   *
   * @default - a free one
   */
  readonly boardPort?: number | undefined;
}

/** The verb `start`: runs until a signal, or until the shop ends by itself. */
export async function start({ boardPort, ...options }: StartVerbOptions): Promise<void> {
  // A signal that comes while things are still starting must stop them too, once they are there.
  const signal = new Promise<'signal'>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => resolve('signal'));
  });
  const running = await startLocally({ ...options, say: (line) => console.log(`  … ${line}`) });
  const board = await startBoard({ source: shopBoard(running, options.phase), port: boardPort }).catch(
    async (error) => {
      await running.stop();
      throw error;
    },
  );
  const where = relative(process.cwd(), options.dir) || '.';
  console.log(`
  Shop      ${running.url}
  Board     ${board.url}
  Shape     phase ${options.phase}: ${SHAPES[options.phase]}
  Processes shop ${running.shop.pid}, PostgreSQL ${running.database.pid}
  Kept in   ${where} (log: ${where}/${SHOP_LOG}; begin anew: --fresh)

  Ctrl-C stops it. Orders, carts and log-ins are kept.
`);
  const ended = await Promise.race([signal, running.ended]);
  if (ended === 'signal') console.log('  stopping: requests in flight end first');
  await board.close();
  await running.stop();
  if (ended === 'signal') return;
  throw new Error(`the shop ended by itself (exit code ${ended ?? 'none, a signal'}); see ${where}/${SHOP_LOG}`);
}
