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
  moved,
  oval,
  shade,
  solid,
  standing,
  turned,
} from './draw';

const panOutline = oval(172, 226, 104);
const knifeBlade = 'M34 186H236V236Q110 240 34 186z';
const boardOutline = `${box(108, 128, 184, 200, 22)}${box(172, 62, 56, 90, 26)}`;
const boardHole = oval(200, 92, 12);
const pin = box(88, 172, 224, 56, 20);

const spoon = [
  fill(box(194, 150, 12, 190, 6), color.oak),
  solid(oval(200, 112, 34, 50), color.oak, faint(0.16, fill(oval(200, 112, 22, 37), color.bark))),
];
const slicer = [
  fill(box(194, 160, 12, 180, 6), color.walnut),
  solid(
    'M172 66h56q8 0 8 10l-14 84q-2 12-22 12t-22-12l-14-84q0-10 8-10z',
    color.walnut,
    fill(box(182, 88, 8, 58, 4), backdrop.mint),
    fill(box(196, 88, 8, 58, 4), backdrop.mint),
    fill(box(210, 88, 8, 58, 4), backdrop.mint),
  ),
];
const spatula = [
  fill(box(194, 150, 12, 190, 6), color.sand),
  solid('M170 62Q200 48 230 70L222 164Q200 178 178 164z', color.sand, shade(206)),
];

/** A slice of lemon with its segments. */
function lemonSlice(cx: number, cy: number, r: number): string {
  const spokes = [0, 60, 120].map((degrees) => {
    const x = Math.round(Math.cos((degrees * Math.PI) / 180) * (r - 5));
    const y = Math.round(Math.sin((degrees * Math.PI) / 180) * (r - 5));
    return `M${cx - x} ${cy - y}L${cx + x} ${cy + y}`;
  });
  return [
    fill(oval(cx, cy, r), color.mustard),
    fill(oval(cx, cy, r - 5), color.cream),
    fill(oval(cx, cy, r - 9), '#f2c75c'),
    line(spokes.join(''), color.cream, 3),
  ].join('');
}

export const kitchen: Readonly<Record<string, string>> = {
  'enamel-kettle': standing(backdrop.mist, 112, [
    line('M140 196C122 76 278 76 260 196', color.ink, 9),
    line('M170 113Q200 101 230 113', color.oak, 17),
    solid(
      'M130 282C92 274 92 226 66 204L90 190C116 206 114 232 142 238z',
      color.terracotta,
      faint(0.2, fill('M66 204l24-14 8 7-24 14z', color.ink)),
    ),
    solid(
      'M114 306C100 246 126 192 158 184H242C274 192 300 246 286 306Q284 320 268 320H132Q116 320 114 306z',
      color.terracotta,
      shade(232),
      faint(0.35, line('M142 292C132 252 144 222 160 208', color.white, 8)),
      fill(box(100, 306, 200, 20), color.rust),
    ),
    fill('M152 188Q200 146 248 188z', color.rust),
    fill(oval(200, 158, 11), color.ink),
  ]),
  'cast-iron-pan': flat(backdrop.butter, [
    cast(panOutline),
    turned(-42, [solid(box(260, 212, 128, 30, 15), color.iron, fill(oval(366, 227, 8), backdrop.butter))], [172, 226]),
    fill(panOutline, color.iron),
    fill(oval(172, 226, 90), color.ink),
    fill(
      'M110 222C106 178 150 160 186 172C226 168 246 206 232 240C226 280 176 292 146 274C118 272 106 250 110 222z',
      color.white,
    ),
    fill(oval(170, 222, 29), color.mustard),
    faint(0.6, fill(oval(161, 213, 8), color.white)),
  ]),
  'moka-pot': standing(backdrop.blush, 92, [
    line('M238 152h46q10 0 10 10v70', color.ink, 17),
    fill('M150 132L116 118l34 52z', color.steel),
    solid(
      'M138 320L160 232H240L262 320z',
      color.steel,
      shade(218),
      faint(0.5, fill('M170 232h18l-10 88h-24z', color.white)),
    ),
    fill(box(154, 218, 92, 18, 5), color.iron),
    solid(
      'M160 218L142 128H252L240 218z',
      color.silver,
      shade(218),
      faint(0.6, fill('M160 128h24l4 90h-16z', color.white)),
    ),
    solid('M138 130L197 100L256 130z', color.steel, shade(214)),
    fill(box(188, 78, 18, 24, 7), color.ink),
    fill(oval(168, 280, 6), color.brass),
  ]),
  'chefs-knife': flat(backdrop.mint, [
    turned(
      -38,
      [
        cast(knifeBlade),
        solid(knifeBlade, color.silver, faint(0.75, fill('M34 186H236V206H80z', color.steel))),
        fill(box(232, 184, 16, 54, 4), color.iron),
        solid(
          'M248 186H356Q376 186 374 206Q372 226 350 222Q300 214 248 222z',
          color.walnut,
          dots(
            [
              [272, 203],
              [308, 202],
              [344, 204],
            ],
            5,
            color.brass,
          ),
        ),
      ],
      [208, 204],
    ),
  ]),
  'chopping-board': flat(backdrop.lilac, [
    cast(boardOutline),
    solid(
      boardOutline,
      color.oak,
      fill(boardHole, backdrop.lilac),
      faint(
        0.25,
        line(
          'M130 120C122 190 140 250 128 340M168 110C158 200 176 250 164 340M214 130C224 210 206 270 218 340M260 120C252 180 274 250 262 340',
          color.bark,
          4,
        ),
      ),
      fill(box(270, 128, 22, 200), '#c08f58'),
    ),
    lemonSlice(172, 268, 36),
    lemonSlice(232, 234, 36),
  ]),
  'mixing-bowls': standing(backdrop.oat, 122, [
    fill('M128 126H272Q274 180 200 200Q126 180 128 126z', color.sky),
    fill(box(122, 118, 156, 14, 7), color.denim),
    fill('M108 158H292Q296 220 200 244Q104 220 108 158z', color.mustard),
    fill(box(102, 150, 196, 14, 7), color.brass),
    solid(
      'M88 196H312C310 262 270 320 238 320H162C130 320 90 262 88 196z',
      color.cream,
      shade(238),
      fill(box(80, 228, 240, 12), color.terracotta),
      faint(0.8, line('M116 256Q124 286 146 304', color.white, 8)),
    ),
    fill(box(80, 186, 240, 16, 8), color.white),
  ]),
  'measuring-jug': standing(backdrop.blush, 92, [
    line('M256 160h28q22 0 20 30l-4 50q-2 30-30 30h-16', color.sky, 16),
    faint(0.75, fill('M116 120H268L254 308Q253 320 240 320H160Q147 320 146 308L134 150z', color.white)),
    solid(
      'M140 216H262L254 308Q253 320 240 320H160Q147 320 146 308z',
      color.apricot,
      shade(220),
      fill(box(130, 212, 140, 10), '#f3b588'),
    ),
    line('M176 150h34M190 172h20M176 194h34M190 216h20M176 238h34M190 260h20M176 282h34', color.rust, 5),
    line('M116 120H268', color.sky, 9),
    faint(0.8, line('M246 146l-10 120', color.white, 8)),
  ]),
  'rolling-pin': flat(backdrop.mist, [
    turned(-38, [
      cast(pin),
      fill(box(22, 186, 80, 28, 14), color.walnut),
      fill(box(298, 186, 80, 28, 14), color.walnut),
      solid(
        pin,
        color.oak,
        faint(0.2, line('M100 186H300M110 196H260M140 216H310', color.bark, 3)),
        faint(0.16, fill(box(80, 208, 240, 24), color.ink)),
      ),
      fill(box(80, 182, 10, 36, 3), color.bark),
      fill(box(310, 182, 10, 36, 3), color.bark),
    ]),
  ]),
  'pepper-mill': standing(backdrop.mint, 66, [
    solid(
      'M152 320Q148 290 164 262Q178 236 170 212Q160 196 170 182H230Q240 196 230 212Q222 236 236 262Q252 290 248 320z',
      color.walnut,
      shade(212),
      faint(0.3, line('M172 300Q170 276 182 258', color.white, 7)),
    ),
    fill(box(160, 174, 80, 13, 5), color.brass),
    solid(
      'M164 174Q152 146 172 126Q178 112 190 106H210Q222 112 228 126Q248 146 236 174z',
      color.bark,
      shade(212),
      faint(0.3, line('M174 158Q172 142 182 132', color.white, 6)),
    ),
    fill(oval(200, 97, 13), color.brass),
    dots(
      [
        [288, 308],
        [304, 314],
        [296, 317],
        [112, 312],
      ],
      4,
      color.ink,
    ),
  ]),
  'kitchen-scale': standing(backdrop.butter, 108, [
    fill(box(186, 178, 28, 40), color.iron),
    solid(
      'M116 304L140 216Q143 206 154 206H246Q257 206 260 216L284 304Q288 320 272 320H128Q112 320 116 304z',
      color.sage,
      shade(246),
    ),
    fill(oval(200, 264, 46), color.white),
    line('M200 226v8M238 264h-8M162 264h8M173 237l6 6M227 237l-6 6', color.ink, 4),
    line('M200 264L222 240', color.tomato, 5),
    fill(oval(200, 264, 7), color.ink),
    fill(oval(182, 150, 30, 26), color.tomato),
    fill(oval(226, 152, 28, 24), color.tomato),
    fill('M176 128q6-10 14-6q-2 10-14 6zM222 130q6-10 14-6q-2 10-14 6z', color.leaf),
    solid('M96 156H304Q292 192 200 192Q108 192 96 156z', color.silver, shade(240)),
    fill(box(90, 148, 220, 12, 6), color.steel),
  ]),
  colander: standing(backdrop.lilac, 104, [
    line('M92 196H64q-12 0-12 14t20 16h26', color.forest, 11),
    mirrored(line('M92 196H64q-12 0-12 14t20 16h26', color.forest, 11)),
    fill('M160 290H240L250 320H150z', color.forest),
    solid(
      'M84 190H316C314 250 268 300 200 300C132 300 86 250 84 190z',
      color.sage,
      shade(244),
      dots(
        [
          [120, 216],
          [152, 216],
          [184, 216],
          [216, 216],
          [248, 216],
          [280, 216],
          [136, 242],
          [168, 242],
          [200, 242],
          [232, 242],
          [264, 242],
          [152, 267],
          [184, 269],
          [216, 269],
          [248, 267],
        ],
        7,
        color.forest,
      ),
    ),
    fill(box(78, 178, 244, 18, 9), color.forest),
  ]),
  'wooden-spoons': flat(backdrop.mint, [
    turned(-28, slicer, [200, 330]),
    turned(28, spatula, [200, 330]),
    moved(0, -8, ...spoon),
    fill(box(176, 282, 48, 18, 9), color.terracotta),
    line('M222 292q22 6 28 24M222 290q28-2 40 12', color.terracotta, 5),
  ]),
};
