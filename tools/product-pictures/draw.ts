import { createHash } from 'node:crypto';

/**
 * Drawing primitives of all pictures. A picture is 400 by 400, light comes from the left, and objects stand on a table whose edge
 * is at `TABLE`. Outlines are SVG path data; everything else is SVG source.
 */

export const SIZE = 400;
const TABLE = 292;

export const color = {
  ink: '#262a33',
  iron: '#474c55',
  steel: '#b4bcc1',
  silver: '#d9dee0',
  white: '#fffdf8',
  cream: '#f5ead6',
  sand: '#e2cda8',
  oak: '#cf9f67',
  walnut: '#85553a',
  bark: '#5b3a29',
  brass: '#c9993f',
  mustard: '#e3aa3a',
  apricot: '#eb9a62',
  terracotta: '#c9633c',
  rust: '#a1452b',
  tomato: '#d2452f',
  rose: '#dd9c93',
  plum: '#6f4058',
  wine: '#8b2f3f',
  sage: '#90a888',
  leaf: '#5f8a5b',
  forest: '#3f6150',
  sky: '#9fc1d1',
  denim: '#4f7390',
  navy: '#2b3e58',
} as const;

/** Backdrop colors, light enough for contrast at thumbnail size. */
export const backdrop = {
  blush: '#f7ded1',
  butter: '#f9e8bd',
  mist: '#d9e6ea',
  mint: '#dce9d6',
  lilac: '#e7deec',
  oat: '#efe3cf',
} as const;

/** Outline of a rounded rectangle. */
export function box(x: number, y: number, width: number, height: number, radius = 0): string {
  const r = Math.min(radius, width / 2, height / 2);
  if (r === 0) return `M${x} ${y}h${width}v${height}h${-width}z`;
  const across = width - 2 * r;
  const down = height - 2 * r;
  const corner = (dx: number, dy: number) => `a${r} ${r} 0 0 1 ${dx} ${dy}`;
  return `M${x + r} ${y}h${across}${corner(r, r)}v${down}${corner(-r, r)}h${-across}${corner(-r, -r)}v${-down}${corner(r, -r)}z`;
}

/** Outline of an ellipse, or of a circle if only one radius is given. */
export function oval(cx: number, cy: number, rx: number, ry = rx): string {
  return `M${cx - rx} ${cy}a${rx} ${ry} 0 1 1 ${2 * rx} 0a${rx} ${ry} 0 1 1 ${-2 * rx} 0z`;
}

export function fill(outline: string, paint: string): string {
  return `<path d="${outline}" fill="${paint}"/>`;
}

export function line(course: string, paint: string, width: number): string {
  return `<path d="${course}" fill="none" stroke="${paint}" stroke-width="${width}" stroke-linecap="round" stroke-linejoin="round"/>`;
}

/** A filled outline with marks (stripes, shade, shine) clipped to it. */
export function solid(outline: string, paint: string, ...marks: readonly string[]): string {
  const id = `c${createHash('sha256')
    .update(outline + paint)
    .digest('hex')
    .slice(0, 5)}`;
  const background = `<path d="M-200-200h800v800h-800z" fill="${paint}"/>`;
  return `<clipPath id="${id}"><path d="${outline}"/></clipPath><g clip-path="url(#${id})">${background}${marks.join('')}</g>`;
}

/** Mark for `solid`: shades everything right of `x`. */
export function shade(x: number): string {
  return faint(0.13, fill(`M${x}-200h600v800h-600z`, color.ink));
}

export function faint(opacity: number, ...shapes: readonly string[]): string {
  return `<g opacity="${opacity}">${shapes.join('')}</g>`;
}

/** Rotates shapes clockwise by `degrees` around the center of the picture or the given point. */
export function turned(degrees: number, shapes: readonly string[], [x, y] = [200, 200]): string {
  return `<g transform="rotate(${degrees} ${x} ${y})">${shapes.join('')}</g>`;
}

export function moved(dx: number, dy: number, ...shapes: readonly string[]): string {
  return `<g transform="translate(${dx} ${dy})">${shapes.join('')}</g>`;
}

/** Mirrors shapes horizontally. */
export function mirrored(...shapes: readonly string[]): string {
  return `<g transform="matrix(-1 0 0 1 ${SIZE} 0)">${shapes.join('')}</g>`;
}

/** Round marks at the given points. */
export function dots(points: readonly (readonly [number, number])[], radius: number, paint: string): string {
  return fill(points.map(([x, y]) => oval(x, y, radius)).join(''), paint);
}

/** An object that stands on the table. Its shadow extends `reach` to either side of `middle`. */
export function standing(paint: string, reach: number, shapes: readonly string[], middle = 200): string {
  return [
    fill(`M0 0h${SIZE}v${SIZE}H0z`, paint),
    faint(0.06, fill(`M0 ${TABLE}h${SIZE}v${SIZE - TABLE}H0z`, color.rust)),
    faint(0.16, fill(oval(middle + 8, 319, reach, 11), color.ink)),
    ...shapes,
  ].join('');
}

/** An object that lies flat or hangs, seen from the front, on a pale disc. */
export function flat(paint: string, shapes: readonly string[]): string {
  return [fill(`M0 0h${SIZE}v${SIZE}H0z`, paint), faint(0.45, fill(oval(200, 200, 158), color.white)), ...shapes].join(
    '',
  );
}

/** Shadow of a flat object: its outline, offset down and to the right. */
export function cast(outline: string): string {
  return faint(0.14, moved(6, 9, fill(outline, color.ink)));
}
