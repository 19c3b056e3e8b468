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
  moved,
  oval,
  shade,
  solid,
  standing,
  turned,
} from './draw';

const plate = oval(200, 200, 136);
const napkin = 'M96 136H304V304H96z';

/** A wine glass with its foot at `x`, filled with `wine`. */
function wineGlass(x: number, wine: string): string {
  return moved(
    x,
    0,
    [
      faint(0.65, fill('M-44 96H44C58 170 34 214 0 214C-34 214-58 170-44 96z', color.white)),
      fill('M-48 146H48C44 186 24 206 0 206C-24 206-44 186-48 146z', wine),
      fill(box(-4, 210, 8, 104), color.steel),
      fill('M-38 320Q-36 308 0 304Q36 308 38 320z', color.steel),
      faint(0.7, line('M-36 112Q-40 134-38 150', color.white, 6)),
    ].join(''),
  );
}

/** An egg in an egg cup with its foot at `x`. */
function eggCup(x: number, glaze: string, egg: string): string {
  return moved(
    x,
    0,
    [
      solid('M-36 214C-40 160-18 126 0 126C18 126 40 160 36 214z', egg, shade(12)),
      solid(
        'M-46 208H46Q46 258 16 266L26 320H-26L-16 266Q-46 258-46 208z',
        glaze,
        shade(14),
        faint(0.4, line('M-32 222Q-30 240-20 250', color.white, 6)),
      ),
    ].join(''),
  );
}

export const table: Readonly<Record<string, string>> = {
  'stoneware-mug': standing(
    backdrop.butter,
    92,
    [
      faint(0.5, line('M160 132q-14-16 0-32t0-32M200 132q-14-16 0-32t0-32', color.white, 9)),
      line('M246 190h22q34 0 34 36t-40 42h-16', color.denim, 19),
      solid(
        'M108 164H252V282Q252 320 214 320H146Q108 320 108 282z',
        color.denim,
        fill('M100 256q24-18 50 0t50 0t60 0V330H100z', color.cream),
        shade(214),
        faint(0.4, line('M128 184v56', color.white, 9)),
      ),
      fill(oval(180, 164, 72, 13), color.navy),
      fill(oval(180, 166, 62, 9), color.bark),
    ],
    190,
  ),
  'dinner-plate': flat(backdrop.mist, [
    cast(plate),
    fill(plate, color.cream),
    line(oval(200, 200, 130), color.terracotta, 6),
    fill(oval(200, 200, 92), color.white),
    dots(
      [
        [160, 170],
        [230, 152],
        [244, 226],
        [178, 248],
        [206, 190],
        [150, 214],
        [216, 262],
        [104, 190],
        [286, 160],
        [252, 296],
        [130, 284],
        [196, 94],
      ],
      3,
      color.oak,
    ),
    line('M160 236Q200 210 238 164', color.forest, 5),
    fill(
      'M184 218q-20-6-22-28q22 2 22 28zM210 196q-20-10-18-32q22 6 18 32zM196 214q22 4 34-12q-20-10-34 12zM220 190q22 2 32-16q-20-6-32 16zM238 164q-4-18 10-28q8 16-10 28z',
      color.leaf,
    ),
  ]),
  'soup-bowl': standing(backdrop.blush, 106, [
    turned(34, [fill(box(226, 84, 13, 130, 6), color.steel), fill(oval(232, 78, 17, 15), color.steel)], [232, 200]),
    faint(0.5, line('M150 150q-14-14 0-30t0-30M196 150q-14-14 0-30t0-30', color.white, 9)),
    fill('M160 300H240L248 320H152z', color.plum),
    solid(
      'M84 192H316C312 262 264 308 200 308C136 308 88 262 84 192z',
      color.plum,
      shade(240),
      faint(0.3, line('M110 226Q120 262 150 280', color.white, 9)),
    ),
    fill(oval(200, 192, 116, 30), color.rose),
    fill(oval(200, 194, 104, 23), color.apricot),
    line('M150 190q26-12 52 2t54-4', color.cream, 6),
    fill('M182 204q12-14 28-4q-12 12-28 4z', color.leaf),
  ]),
  'wine-glasses': standing(backdrop.lilac, 110, [wineGlass(146, color.wine), wineGlass(256, '#e9c766')]),
  'water-carafe': standing(backdrop.mint, 78, [
    faint(
      0.72,
      fill(
        'M168 128H232V176C232 204 276 216 276 268V300Q276 320 256 320H144Q124 320 124 300V268C124 216 168 204 168 176z',
        color.white,
      ),
    ),
    solid(
      'M128 248C126 254 124 260 124 268V300Q124 320 144 320H256Q276 320 276 300V268C276 260 275 254 272 248z',
      color.sky,
      shade(232),
      fill(box(110, 244, 180, 9), '#c5dbe4'),
    ),
    solid('M160 80Q160 72 168 72H232Q240 72 240 80L234 138H166z', '#c5dbe4', shade(214)),
    faint(0.8, line('M146 296v-30q2-20 18-34', color.white, 8)),
  ]),
  'cutlery-set': flat(backdrop.oat, [
    fill(box(84, 58, 232, 284, 18), color.navy),
    faint(0.25, line('M100 74H300V326H100z', color.white, 3)),
    fill('M132 96v44q0 20 12 26l-3 142q0 14 9 14t9-14l-3-142q12-6 12-26V96h-7v42h-7V96h-8v42h-7V96z', color.silver),
    fill('M206 92q-20 40-14 106h6l-2 110q0 14 9 14t9-14V92q-2-8-8 0z', color.silver),
    fill(`${oval(254, 126, 20, 34)}M250 156l-4 152q0 14 8 14t8-14l-4-152z`, color.silver),
    faint(0.35, fill(oval(254, 126, 12, 24), color.iron)),
  ]),
  'linen-napkins': flat(backdrop.butter, [
    turned(-14, [cast(napkin), solid(napkin, color.rose, line('M96 156H304M96 168H304', color.white, 4))], [200, 220]),
    turned(8, [
      solid(
        'M112 128H300V296H112z',
        color.cream,
        fill(box(128, 120, 8, 190), color.denim),
        fill(box(142, 120, 4, 190), color.denim),
        fill('M112 296L300 128V296z', '#ead9ba'),
        line('M112 296L300 128', '#dcc8a2', 4),
      ),
    ]),
  ]),
  'butter-dish': standing(backdrop.mist, 126, [
    solid(
      'M92 296V226Q92 190 128 190H272Q308 190 308 226V296z',
      color.mustard,
      shade(262),
      faint(0.5, line('M114 266v-34q0-18 18-20', color.white, 9)),
    ),
    solid(box(172, 164, 56, 30, 13), color.oak, shade(206)),
    solid('M64 292H336Q332 320 304 320H96Q68 320 64 292z', color.white, shade(270)),
    line('M64 294H336', color.oak, 5),
  ]),
  'milk-jug': standing(
    backdrop.blush,
    80,
    [
      line('M244 176q52-6 50 42t-56 48', color.white, 17),
      solid(
        'M148 118L118 106Q122 136 146 152Q148 184 134 214Q118 250 132 296Q138 320 162 320H232Q256 320 262 296Q274 250 256 214Q242 184 246 118z',
        color.white,
        fill('M100 236q26 14 52 0t52 0t80 0V330H100z', color.sky),
        shade(222),
        faint(0.5, line('M150 300q-12-30 0-56', color.white, 8)),
      ),
      fill('M118 106H246V122Q180 132 148 120z', color.silver),
    ],
    196,
  ),
  teapot: standing(backdrop.oat, 116, [
    line('M276 214q58-18 54 34t-66 46', color.navy, 17),
    solid('M130 290C84 280 96 222 54 206L74 188C116 196 112 230 142 240z', color.navy),
    solid(
      'M200 182C268 182 296 216 296 258C296 296 262 320 232 320H168C138 320 104 296 104 258C104 216 132 182 200 182z',
      color.navy,
      shade(240),
      dots(
        [
          [134, 240],
          [168, 220],
          [206, 214],
          [152, 274],
          [190, 258],
          [226, 246],
          [254, 270],
          [214, 292],
          [172, 304],
          [260, 228],
        ],
        5,
        color.cream,
      ),
    ),
    solid('M148 186Q200 144 252 186Q200 200 148 186z', color.denim, shade(216)),
    fill(oval(200, 154, 14), color.mustard),
  ]),
  'egg-cups': standing(backdrop.mint, 108, [
    eggCup(144, color.terracotta, color.cream),
    eggCup(256, color.sage, '#e9c5a0'),
  ]),
  'cake-stand': standing(backdrop.lilac, 84, [
    solid(
      'M110 150Q110 138 122 138H278Q290 138 290 150V232H110z',
      '#e8b98a',
      fill(box(100, 176, 200, 14), color.rose),
      fill('M100 130H300V158q-8 22-18 2t-22 4t-22 8t-22-8t-22 6t-24-6t-20 8t-20-8t-20-2z', color.white),
      shade(246),
    ),
    fill(`${oval(152, 128, 13)}${oval(200, 124, 13)}${oval(248, 128, 13)}`, color.wine),
    line('M152 116q4-16 14-18M200 112q4-16 14-18M248 116q4-16 14-18', color.forest, 4),
    solid('M84 232H316Q316 250 292 250H108Q84 250 84 232z', color.sky, shade(252)),
    solid('M186 250H214Q210 296 252 320H148Q190 296 186 250z', color.sky, shade(206)),
  ]),
};
