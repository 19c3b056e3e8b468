import { basename } from 'node:path';
import seed from '../../app/data/catalogue.json';
import { bath } from './bath';
import { desk } from './desk';
import { SIZE } from './draw';
import { home } from './home';
import { kitchen } from './kitchen';
import { outdoors } from './outdoors';
import { table } from './table';

const drawings: Readonly<Record<string, string>> = { ...kitchen, ...table, ...home, ...bath, ...desk, ...outdoors };

/**
 * Returns the picture of each product as an SVG document, by its path below `public/`. The output is reproducible.
 *
 * @throws Error if a product has no drawing, or a drawing has no product
 */
export function pictures(): ReadonlyMap<string, string> {
  const unused = new Set(Object.keys(drawings));
  const files = new Map<string, string>();
  for (const { name, image } of seed.products) {
    const drawing = basename(image, '.svg');
    const shapes = drawings[drawing];
    if (shapes === undefined) throw new Error(`${image}: no drawing is named "${drawing}"`);
    files.set(image, document(name, shapes));
    unused.delete(drawing);
  }
  if (unused.size > 0) throw new Error(`no product uses the drawing ${[...unused].join(', ')}`);
  return files;
}

function document(title: string, shapes: string): string {
  const escaped = title.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE} ${SIZE}" role="img"><title>${escaped}</title>${shapes}</svg>\n`;
}
