import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pictures } from './index';

const publicDir = join(__dirname, '../../app/public');
const files = pictures();

rmSync(join(publicDir, 'products'), { recursive: true, force: true });
for (const [file, svg] of files) {
  const path = join(publicDir, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, svg);
}
console.log(`${files.size} pictures written to app/public/products`);
