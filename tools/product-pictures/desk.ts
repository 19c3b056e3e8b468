import {
  backdrop,
  box,
  cast,
  color,
  dots,
  faint,
  fill,
  flat,
  line,
  mirrored,
  oval,
  shade,
  solid,
  standing,
  turned,
} from './draw';

const notebook = box(104, 64, 192, 272, 12);
const ruler = box(36, 168, 328, 56, 4);
const rulerMarks = Array.from({ length: 21 }, (_, i) => `M${50 + i * 15} 168v${i % 5 === 0 ? 26 : 14}`).join('');

/** An upright pencil with its left edge at `x` and its tip at `y`. */
function pencil(x: number, y: number, paint: string): string {
  return [
    fill(`M${x} ${y + 44}L${x + 15} ${y}L${x + 30} ${y + 44}z`, color.sand),
    fill(`M${x + 10} ${y + 15}L${x + 15} ${y}L${x + 20} ${y + 15}z`, paint),
    solid(
      box(x, y + 42, 30, 200),
      paint,
      faint(0.25, fill(box(x, y + 42, 10, 200), color.white)),
      faint(0.16, fill(box(x + 20, y + 42, 10, 200), color.ink)),
    ),
    fill(box(x, y + 234, 30, 14), color.brass),
    fill(box(x, y + 246, 30, 18, 7), color.rose),
  ].join('');
}

/** One blade of the scissors with its handle. The other is its mirror image. */
const blade = [
  fill('M192 70Q214 72 216 96L212 236H188z', color.silver),
  faint(0.4, fill('M204 74Q214 80 216 96L212 236H204z', color.steel)),
];
const bow = line(oval(152, 306, 34, 40), color.terracotta, 18);

function book(x: number, top: number, width: number, paint: string, band: string): string {
  return solid(
    box(x, top, width, 308 - top, 3),
    paint,
    fill(box(x, top + 20, width, 8), band),
    fill(box(x, 268, width, 8), band),
    shade(x + width - 9),
  );
}

export const desk: Readonly<Record<string, string>> = {
  'cloth-notebook': flat(backdrop.oat, [
    turned(-8, [
      cast(notebook),
      fill(box(112, 70, 190, 266, 8), color.white),
      solid(
        notebook,
        color.forest,
        fill(box(96, 60, 34, 280), '#345244'),
        fill(box(258, 60, 10, 280), color.terracotta),
      ),
      fill(box(154, 112, 84, 56, 3), color.cream),
      line('M168 132h56M168 148h36', color.ink, 4),
      fill('M196 336h14v40l-7-8l-7 8z', color.terracotta),
    ]),
  ]),
  'pencil-set': flat(backdrop.mist, [
    turned(14, [
      pencil(106, 84, color.tomato),
      pencil(146, 66, color.mustard),
      pencil(186, 78, color.leaf),
      pencil(226, 60, color.denim),
      pencil(266, 74, color.plum),
    ]),
  ]),
  'fountain-pen': flat(backdrop.blush, [
    line('M66 318q26-30 50 0t44-6', color.denim, 5),
    turned(
      45,
      [
        cast(box(184, 30, 36, 226, 14)),
        solid(box(182, 36, 36, 130, 14), color.navy, faint(0.35, fill(box(188, 44, 6, 150, 3), color.white))),
        fill(box(180, 160, 40, 10, 2), color.brass),
        solid('M184 170H216L212 262H188z', color.navy, faint(0.35, fill(box(190, 172, 6, 86, 3), color.white))),
        line('M224 60v84', color.brass, 6),
        line('M218 52l6 6', color.brass, 6),
        fill('M188 262H212L206 306L200 330L194 306z', color.brass),
        line('M200 328v-38', color.bark, 3),
        fill(oval(200, 288, 4), color.bark),
      ],
      [200, 190],
    ),
  ]),
  'desk-scissors': flat(backdrop.mint, [
    turned(
      24,
      [
        turned(13, [...blade], [200, 214]),
        turned(-13, [mirrored(...blade)], [200, 214]),
        line('M196 214L174 272', color.terracotta, 18),
        line('M204 214L226 272', color.terracotta, 18),
        bow,
        mirrored(bow),
        fill(oval(200, 212, 9), color.iron),
      ],
      [200, 200],
    ),
  ]),
  'tape-dispenser': standing(backdrop.butter, 132, [
    fill(oval(176, 206, 68), color.sand),
    fill(oval(176, 206, 50), color.oak),
    fill('M176 138Q262 140 316 204L306 214Q256 158 176 156z', color.sand),
    solid(
      'M72 320Q64 236 112 226Q136 250 176 250Q224 250 236 214Q286 204 322 208L318 220L304 228Q316 268 328 320z',
      color.sky,
      shade(262),
      faint(0.5, line('M92 300q-2-36 18-48', color.white, 8)),
    ),
    fill('M304 204l26-6l-4 10l4 8l-6 4l4 10l-20-4z', color.iron),
    fill(oval(176, 206, 16), color.iron),
  ]),
  'letter-tray': standing(backdrop.lilac, 136, [
    fill('M104 172L120 128H300L312 172z', color.white),
    line('M140 146h110M136 160h90', color.steel, 4),
    solid(
      'M72 176H328V210Q328 222 316 222H84Q72 222 72 210z',
      color.oak,
      shade(270),
      fill(box(160, 168, 80, 22, 10), color.bark),
    ),
    fill(`${box(84, 220, 14, 46)}${box(302, 220, 14, 46)}`, color.brass),
    fill('M108 268L120 240H290L300 268z', color.white),
    fill('M120 268L136 250H300L292 268z', color.apricot),
    solid(
      'M72 270H328V306Q328 320 316 320H84Q72 320 72 306z',
      color.oak,
      shade(270),
      fill(box(160, 262, 80, 22, 10), color.bark),
    ),
  ]),
  'pen-pot': standing(backdrop.mint, 72, [
    turned(
      -12,
      [
        fill(box(150, 90, 18, 140), color.mustard),
        fill('M150 92L159 62L168 92z', color.sand),
        fill('M156 72L159 62L162 72z', color.ink),
      ],
      [160, 230],
    ),
    turned(3, [
      fill(box(184, 66, 26, 160, 2), color.cream),
      line('M186 82h10M186 96h14M186 110h10M186 124h14M186 138h10M186 152h14', color.ink, 3),
    ]),
    turned(
      13,
      [
        fill(box(230, 96, 18, 140, 4), color.denim),
        fill(box(228, 78, 22, 40, 6), color.navy),
        line('M252 84v40', color.silver, 4),
      ],
      [240, 230],
    ),
    solid(
      'M128 188H272L264 304Q262 320 246 320H154Q138 320 136 304z',
      color.terracotta,
      shade(224),
      line('M132 220l20 22l20-22l20 22l20-22l20 22l20-22l20 22', color.cream, 7),
      faint(0.3, line('M150 262l3 40', color.white, 8)),
    ),
    fill(box(122, 180, 156, 14, 6), color.rust),
  ]),
  stapler: standing(backdrop.oat, 138, [
    solid('M66 300H330Q340 300 340 310Q340 320 330 320H66Q56 320 56 310Q56 300 66 300z', color.iron),
    fill('M290 300V236H328V300z', color.iron),
    fill(box(62, 290, 30, 12, 3), color.silver),
    turned(
      -9,
      [
        fill(box(60, 256, 262, 24, 4), color.silver),
        solid(
          'M56 256Q54 212 96 206H300Q336 206 336 240V258H56z',
          color.mustard,
          shade(290),
          faint(0.5, line('M84 240q2-16 22-16h110', color.white, 8)),
        ),
      ],
      [310, 270],
    ),
    fill(oval(310, 270, 10), color.brass),
  ]),
  'brass-ruler': flat(backdrop.mist, [
    turned(
      -30,
      [
        cast(ruler),
        solid(
          ruler,
          '#d6ab53',
          faint(0.5, fill(box(30, 168, 340, 10), '#efd596')),
          line(rulerMarks, color.bark, 3),
          fill(oval(344, 206, 8), backdrop.mist),
        ),
        line('M66 212h30M124 212h16', color.bark, 4),
      ],
      [200, 200],
    ),
  ]),
  'letter-cards': flat(backdrop.blush, [
    turned(-12, [
      cast(box(84, 96, 220, 150, 4)),
      fill(box(84, 96, 220, 150, 4), color.white),
      dots(
        [
          [120, 132],
          [152, 120],
          [268, 128],
          [240, 116],
        ],
        9,
        color.rose,
      ),
    ]),
    turned(7, [
      cast(box(104, 172, 226, 146, 4)),
      solid(box(104, 172, 226, 146, 4), color.sage, fill('M100 320L190 236H244L334 320z', '#a6bb9e')),
      fill('M104 172H330L226 262Q217 268 208 262z', '#7b9474'),
      fill(oval(217, 254, 20), color.wine),
      fill('M217 264l-11-11q-3-8 5-9q5 0 6 5q1-5 6-5q8 1 5 9z', color.rose),
    ]),
  ]),
  'desk-calendar': standing(backdrop.butter, 120, [
    fill('M292 120L330 320H300z', color.bark),
    fill('M104 132H296L316 320H84z', color.walnut),
    solid('M112 120H288L302 296H98z', color.white, fill(box(80, 110, 240, 54), color.tomato), shade(272)),
    line('M140 140H200', color.white, 8),
    dots(
      [
        [132, 192],
        [164, 192],
        [196, 192],
        [228, 192],
        [260, 192],
        [130, 220],
        [162, 220],
        [194, 220],
        [262, 220],
        [128, 248],
        [160, 248],
        [194, 248],
        [228, 248],
        [264, 248],
        [126, 274],
        [158, 274],
      ],
      7,
      color.steel,
    ),
    fill(oval(229, 220, 13), color.tomato),
    line('M136 108v24M168 108v24M200 108v24M232 108v24M264 108v24', color.iron, 6),
  ]),
  'walnut-bookends': standing(backdrop.lilac, 136, [
    book(112, 128, 34, color.denim, color.cream),
    book(148, 148, 28, color.mustard, color.rust),
    book(178, 112, 40, color.wine, color.brass),
    turned(12, [book(226, 138, 30, color.sage, color.forest)], [256, 308]),
    solid('M84 196Q112 200 112 232V320H64V216Q64 196 84 196z', color.walnut, shade(100)),
    solid('M318 196Q290 200 290 232V320H338V216Q338 196 318 196z', color.walnut, shade(318)),
    fill(box(64, 308, 274, 12, 3), color.bark),
  ]),
};
