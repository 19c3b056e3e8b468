import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import express, { type RequestHandler } from 'express';

/** The built static files. Their names contain a hash of their content, so that browsers and the edge cache them as immutable. */
export class Assets {
  readonly #hashed: Readonly<Record<string, string>>;
  readonly #names: ReadonlySet<string>;

  /**
   * @param dir folder with the files and `manifest.json`, which maps `shop.css` to `shop.3f2a9c1b07.css`
   * @param url prefix of their URLs, without a trailing slash
   */
  constructor(
    readonly dir: string,
    readonly url: string,
  ) {
    this.#hashed = JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8'));
    this.#names = new Set(Object.values(this.#hashed));
  }

  /** @throws if there is no such file */
  readonly of = (file: string): string => {
    const hashed = this.#hashed[file];
    if (hashed === undefined) throw new Error(`no static file "${file}"`);
    return `${this.url}/${hashed}`;
  };

  /**
   * Returns the URL of a picture in a row of the database. While two versions of the shop run, a row may be newer than the files
   * here. Then a picture is missing, not the page.
   */
  readonly ofProduct = (file: string): string => `${this.url}/${this.#hashed[file] ?? file}`;

  /** Middleware for `/assets` that serves these files, and no other file in their folder. */
  serve(): RequestHandler {
    const files = express.static(this.dir, { index: false, redirect: false, immutable: true, maxAge: '365d' });
    return (request, response, next) => {
      if (this.#names.has(request.path.slice(1))) files(request, response, next);
      else next();
    };
  }
}
