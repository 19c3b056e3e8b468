import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ROOT = join(__dirname, '../..');

/** Files that stand alone, for any Express app. docs/your-express-app.md lists them. */
export const MIDDLEWARES = [
  'app/http/fast-path.ts',
  'app/http/lifecycle.ts',
  'app/http/load-shedding.ts',
  'app/http/message-classes.ts',
  'app/http/observe.ts',
  'app/http/read-your-writes.ts',
  'app/sessions/session-client.ts',
];

/** The packages of an Express app with sessions in Redis, and their types. */
export const EXPRESS_PACKAGES = [
  ...['express', 'express-session', 'connect-redis', 'redis', 'cookie', 'cookie-signature'],
  ...['express', 'express-session', 'cookie-signature', 'node'].map((name) => `@types/${name}`),
];

/** Makes packages of this project those of the project in `dir`. */
export function linkPackages(dir: string, names: readonly string[]): void {
  for (const name of names) {
    const link = join(dir, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), link, 'dir');
  }
}
