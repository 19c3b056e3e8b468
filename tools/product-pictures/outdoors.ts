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

const glove =
  'M120 326V206Q90 190 76 158Q70 142 84 136Q96 132 104 146L122 172V92Q122 78 135 78Q148 78 148 92V150V74Q148 60 161 60Q174 60 174 74V150V84Q174 70 187 70Q200 70 200 84V158V108Q200 96 212 96Q224 96 224 108V220Q224 240 216 256V326z';
const trowelBlade = 'M164 186H236Q252 262 200 338Q148 262 164 186z';
const twine = oval(200, 216, 104);

/** Half of the pruning shears: handle and blade. The other half is mirrored and has a different blade. */
function handle(paint: string): string {
  return line('M196 176C226 222 250 270 240 340', paint, 24);
}

export const outdoors: Readonly<Record<string, string>> = {
  'watering-can': standing(backdrop.mint, 116, [
    line('M156 196C160 96 284 96 292 190Q296 240 266 262', color.forest, 12),
    fill('M150 286L62 176L76 164L160 236z', color.leaf),
    turned(-40, [fill(box(38, 152, 58, 20, 6), color.forest)], [67, 164]),
    solid(
      'M140 194H268Q276 194 276 204L288 308Q288 320 276 320H136Q124 320 124 308L132 204Q132 194 140 194z',
      color.leaf,
      shade(238),
      faint(0.4, line('M152 218l-6 78', color.white, 9)),
      fill(box(110, 282, 200, 9), color.forest),
    ),
    fill('M160 194Q204 158 264 194z', color.forest),
    fill('M44 214q9 14 0 20q-9-6 0-20zM62 238q9 14 0 20q-9-6 0-20zM36 260q9 14 0 20q-9-6 0-20z', color.denim),
  ]),
  'hand-trowel': flat(backdrop.oat, [
    turned(
      38,
      [
        cast(trowelBlade),
        line('M200 196V140', color.iron, 13),
        solid(trowelBlade, color.steel, shade(204), line('M200 196V310', color.iron, 4)),
        solid(
          'M182 40Q200 24 218 40L214 144Q200 152 186 144z',
          color.oak,
          shade(204),
          fill(box(170, 60, 60, 10), color.tomato),
        ),
        fill(box(184, 138, 32, 16, 5), color.brass),
      ],
      [200, 196],
    ),
  ]),
  'terracotta-pot': standing(backdrop.mist, 82, [
    line('M200 200V110M200 196Q160 150 128 136M200 196Q240 150 272 136', color.forest, 5),
    fill(
      'M200 126Q168 84 200 36Q232 84 200 126zM132 142Q84 128 76 78Q126 92 132 142zM268 142Q316 128 324 78Q274 92 268 142zM170 182Q118 196 92 170Q138 146 170 182zM230 182Q282 196 308 170Q262 146 230 182z',
      color.leaf,
    ),
    line('M200 126V60M132 142L96 98M268 142L304 98', color.sage, 4),
    solid(
      'M136 216H264L250 308Q248 320 236 320H164Q152 320 150 308z',
      color.terracotta,
      shade(218),
      faint(0.35, line('M160 244l8 56', color.white, 8)),
    ),
    solid(box(122, 188, 156, 34, 6), color.apricot, fill(box(122, 188, 156, 34, 6), color.terracotta), shade(224)),
    faint(0.25, fill(box(136, 222, 128, 7), color.ink)),
  ]),
  secateurs: flat(backdrop.blush, [
    turned(
      30,
      [
        handle(color.tomato),
        mirrored(handle(color.tomato)),
        fill('M186 182Q150 130 166 60Q206 92 210 172z', color.silver),
        fill('M214 182Q252 150 240 84Q220 96 226 120Q222 150 194 168z', color.iron),
        fill(oval(200, 178, 19), color.iron),
        fill(oval(200, 178, 7), color.brass),
        line('M186 232l28 8l-28 10l28 10l-26 10', color.steel, 5),
      ],
      [200, 200],
    ),
  ]),
  'garden-gloves': flat(backdrop.butter, [
    turned(
      14,
      [mirrored(cast(glove), solid(glove, color.sage, fill(box(60, 286, 200, 50), color.forest)))],
      [240, 200],
    ),
    turned(
      -8,
      [
        cast(glove),
        solid(
          glove,
          color.cream,
          fill('M60 40H260V112H60z', color.apricot),
          fill('M60 112H112V190L60 180z', color.apricot),
          fill(box(60, 286, 200, 50), color.terracotta),
          faint(
            0.5,
            dots(
              [
                [140, 150],
                [166, 150],
                [192, 150],
                [140, 180],
                [166, 180],
                [192, 180],
                [140, 210],
                [166, 210],
                [192, 210],
                [166, 240],
                [192, 240],
                [140, 240],
              ],
              6,
              color.terracotta,
            ),
          ),
        ),
        line('M148 96v60M174 92v66M200 100v60', color.sand, 3),
      ],
      [180, 200],
    ),
  ]),
  'bird-house': flat(backdrop.mint, [
    line('M200 96V20', color.walnut, 6),
    fill(box(112, 316, 176, 14, 4), color.walnut),
    solid(
      'M124 180L200 104L276 180V320H124z',
      color.sky,
      faint(0.2, line('M154 100V330M186 90V330M218 90V330M250 100V330', color.ink, 3)),
      shade(236),
    ),
    fill('M84 190L200 76L316 190L300 206L200 108L100 206z', color.rust),
    fill(oval(200, 208, 32), color.ink),
    line('M200 266v26', color.walnut, 9),
    fill('M268 262L302 246L290 288z', color.rust),
    fill(`${oval(258, 272, 30, 22)}${oval(238, 248, 17)}`, color.tomato),
    fill('M224 242L208 250L224 256z', color.mustard),
    fill('M254 266Q276 258 284 272Q270 288 254 266z', color.rust),
    line('M250 294v22M264 294v22', color.ink, 4),
    fill(oval(241, 244, 3), color.ink),
  ]),
  'storm-lantern': standing(backdrop.lilac, 84, [
    line('M128 206C118 70 282 70 272 206', color.iron, 7),
    faint(0.5, fill(oval(200, 212, 110), '#fff0b8')),
    line('M140 146V290M260 146V290', color.wine, 9),
    fill('M160 116H240L256 146H144z', color.wine),
    fill(box(178, 96, 44, 22, 6), color.wine),
    solid(
      'M160 146H240Q268 200 238 266H162Q132 200 160 146z',
      '#fdf3d4',
      fill('M200 176q34 40 18 66q-18 18-36 0q-16-26 18-66z', color.mustard),
      fill('M200 210q14 18 8 30q-8 8-16 0q-6-12 8-30z', color.white),
    ),
    solid('M136 264H264L276 308Q278 320 264 320H136Q122 320 124 308z', color.wine, shade(224)),
    fill(oval(254, 290, 9), color.brass),
  ]),
  'vacuum-flask': standing(
    backdrop.oat,
    112,
    [
      solid(
        'M132 160Q132 134 158 130H218Q244 134 244 160V300Q244 320 224 320H152Q132 320 132 300z',
        color.forest,
        shade(212),
        faint(0.4, line('M150 176v116', color.white, 9)),
        fill(box(120, 270, 140, 10), color.mustard),
      ),
      fill(box(146, 118, 84, 18, 5), color.silver),
      solid('M148 64Q148 56 156 56H220Q228 56 228 64V118H148z', color.mustard, shade(206)),
      solid('M262 262H318L312 308Q310 320 298 320H282Q270 320 268 308z', color.mustard, shade(294)),
      faint(0.6, line('M282 246q-10-12 0-22t0-22M300 246q-10-12 0-22t0-22', color.white, 7)),
    ],
    216,
  ),
  'picnic-basket': standing(backdrop.mist, 128, [
    line('M108 214C108 96 292 96 292 214', color.walnut, 13),
    fill('M96 214Q120 168 168 190Q220 160 304 214z', color.tomato),
    faint(0.85, line('M130 176l22 34M166 184l20 26M206 176l22 34M246 186l18 24M116 204h180', color.white, 5)),
    solid(
      'M76 222H324L308 306Q306 320 292 320H108Q94 320 92 306z',
      color.oak,
      faint(
        0.3,
        line('M60 244H340M60 268H340M60 292H340', color.bark, 5),
        line('M108 220V330M140 220V330M172 220V330M204 220V330M236 220V330M268 220V330M300 220V330', color.bark, 5),
      ),
      shade(258),
    ),
    fill(box(68, 206, 264, 22, 8), color.walnut),
    fill(`${box(136, 214, 22, 34, 4)}${box(242, 214, 22, 34, 4)}`, color.brass),
  ]),
  umbrella: flat(backdrop.butter, [
    turned(
      16,
      [
        line('M200 60V318Q200 350 228 350Q252 350 252 324', color.walnut, 12),
        line('M200 66V44', color.iron, 8),
        solid(
          'M52 196C60 108 128 66 200 66C272 66 340 108 348 196Q324 176 298 196Q272 176 248 196Q224 176 200 196Q176 176 152 196Q128 176 102 196Q76 176 52 196z',
          color.tomato,
          fill('M200 60C160 90 150 150 152 200H248C250 150 240 90 200 60z', color.cream),
          fill('M200 60C110 90 100 150 102 210H40V60zM200 60C290 90 300 150 298 210H360V60z', color.mustard),
          shade(280),
        ),
      ],
      [200, 200],
    ),
  ]),
  'deck-chair': standing(backdrop.blush, 116, [
    line('M262 88L120 318', color.walnut, 12),
    solid(
      'M256 92L292 104C262 190 230 236 150 258L108 254L114 226C190 212 226 170 256 92z',
      color.white,
      line('M272 92C246 176 214 224 108 238', color.denim, 11),
      line('M292 98C262 190 228 240 120 260', color.denim, 8),
    ),
    line('M292 100L246 198', color.walnut, 10),
    line('M112 236L286 318', color.oak, 12),
    line('M160 256L250 196', color.oak, 9),
    line('M244 88H300', color.oak, 11),
    line('M98 230h24', color.oak, 11),
  ]),
  'garden-twine': flat(backdrop.lilac, [
    cast(twine),
    line('M280 284Q330 320 352 300T340 244', '#b98d54', 8),
    solid(
      twine,
      color.oak,
      line(
        'M90 180Q200 130 310 190M90 206Q200 150 316 216M94 234Q200 176 312 244M104 262Q200 204 302 268M122 290Q200 236 284 294',
        '#b98d54',
        7,
      ),
      line('M130 110Q180 210 150 320M160 104Q214 210 184 330M192 100Q246 210 218 330', color.sand, 7),
      faint(0.13, fill('M304 216A104 104 0 0 1 150 308Q270 300 276 146A104 104 0 0 1 304 216z', color.ink)),
    ),
    fill(box(150, 190, 100, 46, 6), color.cream),
    line('M170 206h60M180 221h40', color.forest, 5),
  ]),
};
