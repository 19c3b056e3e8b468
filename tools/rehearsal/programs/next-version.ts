import { createHash } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AppBundle } from '../../support/app-bundle';

/** Copies the bundle into a folder below `dir` as a new version: the same app with another version hash. */
export function nextVersion(bundle: AppBundle, dir: string): AppBundle {
  const hash = createHash('sha256').update(bundle.hash).digest('hex').slice(0, bundle.hash.length);
  const next = join(dir, hash);
  cpSync(bundle.dir, next, { recursive: true });
  for (const name of readdirSync(next).filter((file) => file.endsWith('.js'))) {
    const script = join(next, name);
    writeFileSync(script, readFileSync(script, 'utf8').replaceAll(bundle.hash, hash));
  }
  return { dir: next, hash };
}
