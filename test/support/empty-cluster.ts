import { execFile } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { promisify } from 'node:util';
import { startPostgres } from '../../tools/rehearsal/programs/postgres';
import { cachePath, shared } from './shared';

/** Copies a stopped PostgreSQL cluster without databases to `dir`. `initdb` takes most of the CPU time of a small test file. */
export async function copyEmptyCluster(dir: string): Promise<void> {
  const source = await shared('empty cluster', async () => {
    const cluster = cachePath('empty-cluster');
    rmSync(cluster, { recursive: true, force: true });
    await (await startPostgres({ dir: cluster })).stop();
    return cluster;
  });
  mkdirSync(dir, { recursive: true });
  await promisify(execFile)('cp', ['-Rp', `${source}/.`, dir]);
}
