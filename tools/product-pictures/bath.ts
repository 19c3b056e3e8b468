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
  oval,
  shade,
  solid,
  standing,
  turned,
} from './draw';

const comb = 'M64 160Q64 142 82 142H318Q336 142 336 160V190H64z';
const teeth = Array.from({ length: 20 }, (_, i) => box(66 + i * 13.6, 186, 7, 74, 3)).join('');
const mirrorGlass = oval(200, 146, 92);
const brushHead = box(122, 52, 156, 116, 44);
const mat = box(66, 100, 268, 200, 14);
const tassels = Array.from({ length: 11 }, (_, i) => `M${52} ${110 + i * 18}h14M${334} ${110 + i * 18}h14`).join('');
const robe =
  'M150 96L200 130L250 96L306 128Q330 190 336 262L296 268L280 200L286 340H114L120 200L104 268L64 262Q70 190 94 128z';

/** One folded towel of a stack, with its upper edge at `y`. */
function foldedTowel(y: number, paint: string, band: string): string {
  return solid(
    box(78, y, 244, 56, 24),
    paint,
    fill(box(230, y, 12, 60), band),
    fill(box(250, y, 12, 60), band),
    faint(0.14, fill(box(60, y + 26, 160, 4, 2), color.ink)),
    faint(0.13, fill(box(60, y + 44, 280, 20), color.ink)),
  );
}

/** A toothbrush leaning in a tumbler. */
function toothbrush(degrees: number, handle: string, bristles: string): string {
  return turned(
    degrees,
    [
      fill(box(193, 70, 14, 220, 7), handle),
      fill(box(205, 76, 18, 44, 4), bristles),
      line('M205 88h17M205 98h17M205 108h17', color.white, 2),
    ],
    [200, 290],
  );
}

export const bath: Readonly<Record<string, string>> = {
  'bath-towels': standing(backdrop.mist, 130, [
    foldedTowel(152, color.rose, color.white),
    foldedTowel(208, color.white, color.terracotta),
    foldedTowel(264, color.denim, color.white),
  ]),
  'olive-soap': standing(backdrop.mint, 120, [
    faint(
      0.8,
      fill(`${oval(300, 160, 22)}${oval(330, 206, 13)}${oval(266, 128, 12)}${oval(112, 166, 15)}`, color.white),
    ),
    fill('M84 214L124 176H306L316 196L276 240z', '#b9c183'),
    solid('M84 214H272Q284 214 284 226V300Q284 312 272 312H84Q72 312 72 300V226Q72 214 84 214z', '#a5b06b'),
    fill('M284 226L316 196V276L284 304z', '#87934f'),
    line('M112 286Q160 270 214 240', color.forest, 5),
    fill(
      'M146 274q-12-22 4-36q16 16-4 36zM182 258q-10-22 6-34q14 16-6 34zM150 276q20 10 36-4q-16-16-36 4zM188 258q20 8 34-6q-16-14-34 6zM214 240q6-18 24-16q-4 18-24 16z',
      color.forest,
    ),
    fill(box(60, 310, 270, 10, 5), color.oak),
  ]),
  'soap-dispenser': standing(backdrop.oat, 74, [
    line('M200 128V84H152q-10 0-10 12', color.ink, 12),
    fill(box(188, 104, 24, 40), color.iron),
    fill(box(172, 132, 56, 28, 6), color.ink),
    solid(
      'M176 158H224Q226 178 252 186Q268 192 268 210V302Q268 320 250 320H150Q132 320 132 302V210Q132 192 148 186Q174 178 176 158z',
      '#a65d26',
      shade(228),
      faint(0.4, line('M150 296V218q0-10 12-14', color.white, 8)),
    ),
    fill(box(154, 226, 92, 66, 3), color.cream),
    line('M172 248h56M184 264h32', color.ink, 5),
  ]),
  'bamboo-toothbrushes': standing(backdrop.blush, 72, [
    toothbrush(-15, color.oak, color.leaf),
    toothbrush(17, color.sand, color.tomato),
    solid(
      'M130 190H270L260 304Q258 320 242 320H158Q142 320 140 304z',
      color.sky,
      shade(226),
      faint(0.6, line('M150 212l8 84', color.white, 9)),
      fill(box(100, 240, 200, 8), color.white),
    ),
    fill(box(124, 182, 152, 14, 7), color.denim),
  ]),
  'wooden-comb': flat(backdrop.lilac, [
    turned(-24, [
      cast(comb),
      fill(teeth, color.walnut),
      solid(
        comb,
        color.walnut,
        faint(0.3, line('M76 158H300M100 170H330', color.bark, 4)),
        dots([[92, 166]], 7, backdrop.lilac),
      ),
    ]),
  ]),
  'safety-razor': flat(backdrop.butter, [
    turned(32, [
      cast(box(187, 110, 26, 220, 12)),
      solid(
        box(187, 110, 26, 220, 12),
        color.brass,
        line(
          'M180 196l40-16M180 212l40-16M180 228l40-16M180 244l40-16M180 260l40-16M180 276l40-16M180 292l40-16M180 308l40-16',
          '#a67a2c',
          4,
        ),
        faint(0.5, fill(box(191, 116, 5, 56, 2), color.white)),
      ),
      fill(box(182, 130, 36, 12, 5), '#a67a2c'),
      fill('M130 66H270Q282 66 280 82L272 100H128L120 82Q118 66 130 66z', color.brass),
      fill(box(114, 92, 172, 8, 2), color.silver),
      fill(box(122, 100, 156, 13, 4), '#a67a2c'),
    ]),
  ]),
  'shaving-brush': standing(backdrop.mint, 66, [
    solid(
      'M156 214Q126 130 150 90Q200 62 250 90Q274 130 244 214z',
      color.cream,
      fill('M120 90Q200 130 280 90V60H120z', color.white),
      faint(
        0.35,
        line(
          'M172 210Q156 150 164 104M190 212Q184 150 186 104M212 212Q218 150 214 104M230 210Q246 150 238 104',
          color.walnut,
          4,
        ),
      ),
      fill('M140 170Q200 190 260 170V220H140z', color.walnut),
      shade(218),
    ),
    fill(box(152, 206, 96, 18, 6), color.brass),
    solid(
      'M160 224H240Q250 240 226 256Q214 266 226 280Q252 296 252 320H148Q148 296 174 280Q186 266 174 256Q150 240 160 224z',
      color.ink,
      faint(0.35, line('M172 306Q176 296 188 290M172 236q2 8 10 12', color.white, 6)),
    ),
  ]),
  'hand-mirror': flat(backdrop.mist, [
    turned(
      28,
      [
        cast(mirrorGlass),
        solid(
          'M186 230H214L220 350Q220 368 200 368Q180 368 180 350z',
          color.plum,
          shade(204),
          fill(oval(200, 350, 6), backdrop.mist),
        ),
        fill(mirrorGlass, color.plum),
        solid(
          oval(200, 146, 76),
          '#e4f0f3',
          fill('M110 210L230 50H262L140 230z', color.white),
          fill('M196 230L290 106V140L230 230z', color.white),
        ),
      ],
      [200, 210],
    ),
  ]),
  'hand-cream': standing(backdrop.butter, 62, [
    solid(
      'M134 76H266L244 278H156z',
      color.leaf,
      shade(214),
      faint(0.4, line('M156 110l12 140', color.white, 8)),
      fill(box(120, 70, 160, 22), color.forest),
    ),
    line('M140 76H260', color.forest, 9),
    fill(box(158, 276, 84, 44, 8), color.cream),
    faint(0.3, line('M172 286v26M186 286v26M200 286v26M214 286v26M228 286v26', color.walnut, 4)),
    fill(oval(201, 172, 34), color.cream),
    fill('M201 196q-22-20 0-46q22 26 0 46z', color.leaf),
    line('M201 196v-26', color.forest, 3),
  ]),
  'bath-brush': flat(backdrop.oat, [
    turned(
      36,
      [
        cast(`${brushHead}${box(186, 160, 28, 206, 14)}`),
        solid(box(186, 150, 28, 216, 14), color.oak, fill(oval(200, 348, 6), backdrop.oat)),
        line('M200 354q-14 18 4 26', color.rust, 4),
        fill(box(108, 60, 184, 100, 40), color.cream),
        faint(
          0.5,
          line(
            'M112 84l-8-4M110 104l-9 0M112 128l-8 4M288 84l8-4M290 104l9 0M288 128l8 4M140 58l-2-7M170 54v-7M200 53v-7M230 54v-7M260 58l2-7',
            color.sand,
            5,
          ),
        ),
        solid(
          brushHead,
          color.oak,
          faint(0.25, line('M150 70Q140 110 150 152M186 60Q178 110 188 164M230 60Q240 110 228 164', color.bark, 4)),
        ),
        dots(
          [
            [152, 88],
            [184, 88],
            [216, 88],
            [248, 88],
            [152, 112],
            [184, 112],
            [216, 112],
            [248, 112],
            [168, 136],
            [200, 136],
            [232, 136],
          ],
          5,
          color.sand,
        ),
      ],
      [200, 210],
    ),
  ]),
  'bath-mat': flat(backdrop.blush, [
    cast(mat),
    line(tassels, color.sand, 6),
    solid(
      mat,
      color.white,
      fill(`${box(100, 90, 16, 220)}${box(284, 90, 16, 220)}`, color.navy),
      fill(`${box(124, 90, 6, 220)}${box(270, 90, 6, 220)}`, color.navy),
      faint(
        0.5,
        line('M150 124h100M150 148h100M150 172h100M150 200h100M150 228h100M150 252h100M150 276h100', color.sand, 6),
      ),
    ),
  ]),
  'waffle-robe': flat(backdrop.mint, [
    line('M200 84V70q0-18 16-18t14 16', color.iron, 6),
    line('M132 106L200 80L268 106', color.walnut, 9),
    cast(robe),
    solid(
      robe,
      color.cream,
      faint(
        0.6,
        line(
          'M60 150H340M60 174H340M60 198H340M60 222H340M60 246H340M60 270H340M60 294H340M60 318H340M92 90V350M116 90V350M140 90V350M164 90V350M236 90V350M260 90V350M284 90V350M308 90V350',
          color.sand,
          3,
        ),
      ),
      fill('M150 96L200 130L250 96L262 106L206 226V340H194V226L138 106z', color.white),
      line('M206 226V340', color.sand, 3),
    ),
    fill(box(116, 216, 168, 22, 4), color.terracotta),
    line('M212 230l10 56M204 232l-6 48', color.terracotta, 10),
  ]),
};
