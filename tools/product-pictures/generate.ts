import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pictures } from './index';

const PUBLIC_DIR = join(__dirname, '../../app/public');

/** Replaces the pictures in `app/public/products/`. */
export function writePictures(): void {
  const files = pictures();
  rmSync(join(PUBLIC_DIR, 'products'), { recursive: true, force: true });
  for (const [file, svg] of files) {
    const path = join(PUBLIC_DIR, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, svg);
  }
  console.log(`${files.size} pictures written to app/public/products`);
}
