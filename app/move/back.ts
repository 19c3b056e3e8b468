import { contents, differences } from './compare';
import { MoveError } from './errors';
import type { MoveOptions } from './run';
import { Source } from './source';
import { listTables, movedTables } from './tables';
import { Target } from './target';

/**
 * Rolls a move back: resumes writes at the source, and drops the slot and the publication there. An open target is closed
 * first, which requires that it has the same content as the source.
 *
 * @throws MoveError if the contents differ; the target stays open and the source unchanged
 */
export async function rollBack({ from, to }: Pick<MoveOptions, 'from' | 'to'>): Promise<void> {
  const source = await Source.open(from);
  try {
    const target = await Target.open(to);
    try {
      if ((await target.step()) === 'open') await closeTarget(source, target);
    } finally {
      await target.close();
    }
    await source.resume();
    await source.dropSlot();
  } finally {
    await source.close();
  }
}

async function closeTarget(source: Source, target: Target): Promise<void> {
  await target.setWritable(false);
  const tables = movedTables(await listTables(source.session));
  const [atSource, atTarget] = await Promise.all([contents(source.session, tables), contents(target.session, tables)]);
  const different = differences(atSource, atTarget);
  if (different.length > 0) {
    await target.setWritable(true);
    throw new MoveError(`the target has been written to since it was opened:\n${different.join('\n')}`);
  }
  await target.discardCopy();
}
