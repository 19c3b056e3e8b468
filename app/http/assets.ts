import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import staticFiles from '@fastify/static';
import type { App } from './fastify';

/** The built static files: their names carry a hash of their content, so that they can be cached for ever. */
export class Assets {
  readonly #hashed: Readonly<Record<string, string>>;
  readonly #names: ReadonlySet<string>;

  /**
   * @param dir holds the files and `manifest.json`, which maps `shop.css` to `shop.3f2a9c1b07.css`
   * @param url prefix of their URLs, without a slash at its end
   */
  constructor(
    readonly dir: string,
    readonly url: string,
  ) {
    this.#hashed = JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8'));
    this.#names = new Set(Object.values(this.#hashed));
  }

  /** @throws when the project has no such file */
  readonly of = (file: string): string => {
    const hashed = this.#hashed[file];
    if (hashed === undefined) throw new Error(`no static file "${file}"`);
    return `${this.url}/${hashed}`;
  };

  /**
   * URL of a picture that a row of the database names. While two versions of the shop run, a row may be newer than the
   * files here; then one picture is missing, and not the page.
   */
  readonly ofProduct = (file: string): string => `${this.url}/${this.#hashed[file] ?? file}`;

  /** Serves them below `/assets`, and nothing else that lies in the folder. */
  serve(app: App): void {
    app.register(staticFiles, {
      root: this.dir,
      prefix: '/assets/',
      decorateReply: false,
      index: false,
      immutable: true,
      maxAge: '365d',
      allowedPath: (path) => this.#names.has(path.replace(/^\//, '')),
    });
  }
}
