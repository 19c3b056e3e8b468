import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { catalogue, categories } from '../../app/data/seed';
import { pictures } from '../../tools/product-pictures/index';

const publicDir = join(__dirname, '..', '..', 'app', 'public');

describe('the catalogue', () => {
  test('has consecutive ids from 1, and unique names, images and descriptions', () => {
    expect(catalogue.map(({ id }) => id)).toEqual(catalogue.map((_, i) => i + 1));
    for (const field of ['name', 'image', 'description'] as const) {
      expect(new Set(catalogue.map((product) => product[field])).size).toBe(catalogue.length);
    }
  });

  test('has six categories of at least ten products each', () => {
    expect(new Set(categories).size).toBe(6);
    expect(new Set(catalogue.map(({ category }) => category))).toEqual(new Set(categories));
    for (const name of categories) {
      expect(catalogue.filter(({ category }) => category === name).length).toBeGreaterThanOrEqual(10);
    }
  });

  test.each(catalogue.map((product) => [product.name, product] as const))('has valid data for %s', (_, product) => {
    expect(Number.isInteger(product.priceCents) && product.priceCents >= 500 && product.priceCents <= 20_000).toBe(
      true,
    );
    expect(Number.isInteger(product.stock) && product.stock >= 20 && product.stock <= 500).toBe(true);
    expect(product.description).toMatch(/^[A-Z].{30,140}\.$/);
  });
});

describe('the pictures', () => {
  test('match the generator: run `npm run pictures` if this fails', () => {
    const committed = readdirSync(join(publicDir, 'products')).map((file) => `products/${file}`);
    expect(committed.sort()).toEqual([...pictures().keys()].sort());
    for (const [file, svg] of pictures()) {
      // Keeps the failure message to one line instead of a page of path data.
      if (readFileSync(join(publicDir, file), 'utf8') !== svg) throw new Error(`${file} is stale`);
    }
  });

  test('are small, titled, unique, and neither run scripts nor load resources', () => {
    const drawings = new Set<string>();
    for (const { name, image } of catalogue) {
      const svg = pictures().get(image) ?? '';
      expect(svg).toContain(`<title>${name}</title>`);
      expect(svg.length).toBeLessThan(4096);
      expect(svg).not.toMatch(
        /<script|<foreignObject|\bon[a-z]+=|href|url\((?!#)|http(?!:\/\/www\.w3\.org\/2000\/svg")/,
      );
      drawings.add(svg.replace(/<title>.*?<\/title>/, ''));
    }
    expect(drawings.size).toBe(catalogue.length);
  });

  test('refer only to their own ids', () => {
    for (const [file, svg] of pictures()) {
      const ids = [...svg.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
      expect([file, new Set(ids).size]).toEqual([file, ids.length]);
      for (const [, id] of svg.matchAll(/url\(#([^)]+)\)/g)) expect(ids).toContain(id);
    }
  });
});

describe('the stylesheet', () => {
  const css = readFileSync(join(publicDir, 'shop.css'), 'utf8');
  const [light = '', dark = ''] = css.split('@media (prefers-color-scheme: dark)');

  /** Relative luminance as defined by WCAG 2. */
  function luminance(hex: string): number {
    const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
      const channel = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
      return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }

  function contrast(scheme: string, text: string, ground: string): number {
    const [a = 0, b = 0] = [text, ground].map((name) => {
      const hex = new RegExp(`--${name}: (#[0-9a-f]{6});`).exec(scheme)?.[1];
      if (hex === undefined) throw new Error(`--${name} is not a six-digit hex color`);
      return luminance(hex);
    });
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  }

  const texts = [
    ...['paper', 'surface'].flatMap((ground) => ['ink', 'muted', 'accent'].map((text) => [text, ground] as const)),
    ['on-accent', 'accent'],
    ['paper', 'ink'],
    ['good', 'good-tint'],
    ['warn', 'warn-tint'],
    ['warn', 'surface'],
    ['ink', 'good-tint'],
    ['ink', 'bad-tint'],
    ['on-deep', 'deep'],
    ['on-deep-strong', 'deep'],
  ] as const;

  test.each(texts)('has a contrast of at least 4.5 for %s on %s, light and dark', (text, ground) => {
    expect(contrast(light, text, ground)).toBeGreaterThanOrEqual(4.5);
    expect(contrast(dark, text, ground)).toBeGreaterThanOrEqual(4.5);
  });

  test('has a contrast of at least 3 for field borders', () => {
    for (const scheme of [light, dark]) expect(contrast(scheme, 'field-line', 'surface')).toBeGreaterThanOrEqual(3);
  });

  test('loads no other resource', () => {
    expect(css).not.toMatch(/@import|url\(/);
  });
});
