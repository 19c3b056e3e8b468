import { contents, differences } from './compare';
import { MoveError } from './errors';
import type { MoveOptions } from './run';
import { Source } from './source';
import { listTables, movedTables } from './tables';
import { Target } from './target';

/**
 * Gives a move up: writes go on at the source, and nothing of the move is left there. A target that was opened is closed again
 * first, and only as long as it holds nothing that the source does not.
 *
 * @throws MoveError when it does; then the target stays open, and the source as it is
 */
export async function takeBack({ from, to }: Pick<MoveOptions, 'from' | 'to'>): Promise<void> {
  const source = await Source.open(from);
  try {
    const target = await Target.open(to);
    try {
      if ((await target.step()) === 'open') await closeAgain(source, target);
    } finally {
      await target.close();
    }
    await source.resume();
    await source.forget();
  } finally {
    await source.close();
  }
}

async function closeAgain(source: Source, target: Target): Promise<void> {
  await target.letWrite(false);
  const tables = movedTables(await listTables(source.session));
  const [here, there] = await Promise.all([contents(source.session, tables), contents(target.session, tables)]);
  const different = differences(here, there);
  if (different.length > 0) {
    await target.letWrite(true);
    throw new MoveError(`the target has been written to since it was opened:\n${different.join('\n')}`);
  }
  await target.discard();
}
