import { backdrop, box, cast, color, faint, fill, flat, line, mirrored, oval, shade, solid, standing } from './draw';

const cushion = 'M84 92Q200 72 316 92Q336 200 316 308Q200 328 84 308Q64 200 84 92z';
const frame = box(88, 62, 224, 276, 6);
const clock = oval(200, 200, 126);
const mirror = oval(200, 228, 92, 110);
const basket = 'M88 176H312L286 306Q284 320 270 320H130Q116 320 114 306z';
const stems = 'M200 190C196 140 176 110 150 84M200 190C204 130 214 96 214 58M202 180C220 140 244 120 262 108';

function candle(x: number, top: number, paint: string): string {
  return [
    fill(box(x - 11, top, 22, 236 - top, 4), paint),
    line(`M${x} ${top}v-10`, color.ink, 4),
    fill(`M${x} ${top - 48}q20 24 12 36q-12 12-24 0q-8-12 12-36z`, color.mustard),
    fill(`M${x} ${top - 28}q9 11 5 17q-5 5-10 0q-4-6 5-17z`, color.cream),
  ].join('');
}

export const home: Readonly<Record<string, string>> = {
  'floor-lamp': standing(
    backdrop.butter,
    62,
    [
      line('M196 306V104Q196 62 240 62Q282 62 284 96', color.ink, 8),
      faint(0.5, fill('M230 150H338L372 292H196z', color.white)),
      solid('M284 88Q330 92 338 152H230Q238 92 284 88z', color.terracotta, shade(296)),
      fill(oval(284, 154, 17, 11), color.cream),
      solid('M140 320Q142 302 196 302Q250 302 252 320z', color.ink),
    ],
    196,
  ),
  'table-lamp': standing(backdrop.mist, 80, [
    faint(0.45, fill(oval(200, 186, 138), color.white)),
    solid(
      'M178 196H222L232 288Q262 296 262 312Q262 320 254 320H146Q138 320 138 312Q138 296 168 288z',
      color.forest,
      shade(206),
    ),
    solid(
      'M96 200C96 132 142 96 200 96C258 96 304 132 304 200Q304 208 296 208H104Q96 208 96 200z',
      color.mustard,
      shade(244),
      faint(0.55, line('M122 178Q130 142 160 126', color.white, 10)),
    ),
    line('M250 312q40 12 78 4', color.ink, 4),
  ]),
  'pendant-lamp': flat(backdrop.lilac, [
    line('M200 0V120', color.ink, 5),
    faint(0.75, fill('M124 226H276L340 400H60z', '#fff3cf')),
    fill(box(184, 104, 32, 30, 8), color.brass),
    solid(
      'M184 130H216C226 166 284 184 296 232Q296 240 288 240H112Q104 240 104 232C116 184 174 166 184 130z',
      color.navy,
      shade(226),
      faint(0.3, line('M134 222Q146 192 174 176', color.white, 8)),
    ),
    fill(oval(200, 240, 88, 9), color.brass),
    fill(oval(200, 246, 26, 17), color.cream),
  ]),
  'wool-blanket': standing(backdrop.blush, 132, [
    line(
      'M92 312v16M108 312v16M124 312v16M140 312v16M156 312v16M172 312v16M188 312v16M204 312v16M220 312v16M236 312v16M252 312v16M268 312v16M284 312v16M300 312v16',
      color.sage,
      5,
    ),
    solid(
      'M92 144H292Q324 144 324 178V312H80V156Q80 144 92 144z',
      color.forest,
      line('M110 130V330M166 130V330M222 130V330M278 130V330', color.sage, 16),
      line('M60 180H340M60 236H340M60 292H340', color.sage, 16),
      faint(0.9, line('M138 130V330M194 130V330M250 130V330M60 208H340M60 264H340', color.mustard, 3)),
      shade(282),
    ),
    solid(
      'M92 144H292Q324 144 324 178Q324 190 314 190Q304 190 304 178Q304 168 292 168H92Q80 168 80 156Q80 144 92 144z',
      color.sage,
      shade(300),
    ),
  ]),
  'linen-cushion': flat(backdrop.mint, [
    cast(cushion),
    solid(
      cushion,
      color.apricot,
      line(
        'M76 140C140 120 140 180 200 160S280 120 330 150M70 200C140 180 140 240 200 220S280 180 330 210M76 260C140 240 140 300 200 280S280 240 330 270',
        color.cream,
        12,
      ),
      faint(0.14, fill('M316 92Q336 200 316 308Q200 328 84 308Q250 300 316 92z', color.ink)),
    ),
    line('M84 92l-8-8M316 92l8-8M84 308l-8 8M316 308l8 8', color.rust, 8),
  ]),
  'wall-clock': flat(backdrop.oat, [
    cast(clock),
    fill(clock, color.oak),
    fill(oval(200, 200, 110), color.white),
    line('M200 104v16M200 296v-16M104 200h16M296 200h-16', color.ink, 7),
    line(
      'M248 117l-4 7M283 152l-7 4M283 248l-7-4M248 283l-4-7M152 283l4-7M117 248l7-4M117 152l7 4M152 117l4 7',
      color.steel,
      5,
    ),
    line('M200 200L152 166', color.ink, 11),
    line('M200 200L248 134', color.ink, 7),
    line('M184 234L226 150', color.terracotta, 4),
    fill(oval(200, 200, 11), color.terracotta),
  ]),
  'ceramic-vase': standing(backdrop.mist, 70, [
    line(stems, color.forest, 5),
    fill(
      'M150 84q-30-4-32-30q30 2 32 30zM166 104q-32 8-46-14q28-12 46 14zM214 58q-18-22 0-42q20 20 0 42zM212 92q-26-8-26-32q26 6 26 32zM212 110q30-4 34-28q-30 0-34 28zM262 108q12-24 38-20q-10 26-38 20zM236 130q30 12 46-10q-26-16-46 10zM184 130q-30 14-48-8q28-16 48 8z',
      color.leaf,
    ),
    solid(
      'M178 180H222Q216 206 244 234Q266 262 248 300Q240 320 220 320H180Q160 320 152 300Q134 262 156 234Q184 206 178 180z',
      color.rust,
      fill(box(120, 250, 160, 12), color.cream),
      fill(box(120, 270, 160, 5), color.cream),
      shade(212),
    ),
    fill(oval(200, 180, 25, 7), color.bark),
  ]),
  'candle-holder': standing(backdrop.lilac, 96, [
    candle(116, 118, color.cream),
    candle(200, 88, color.rose),
    candle(284, 118, color.cream),
    line('M116 250Q116 286 200 286Q284 286 284 250M200 240V310', color.brass, 11),
    fill(`${box(98, 230, 36, 22, 6)}${box(182, 230, 36, 22, 6)}${box(266, 230, 36, 22, 6)}`, color.brass),
    fill('M138 320Q144 300 200 298Q256 300 262 320z', color.brass),
  ]),
  'picture-frame': flat(backdrop.butter, [
    cast(frame),
    fill(frame, color.walnut),
    fill(box(106, 80, 188, 240), color.white),
    solid(
      box(130, 108, 140, 184),
      '#f3cfae',
      fill(oval(226, 160, 24), color.tomato),
      fill('M120 236L168 176L204 222L232 196L280 252V300H120z', color.denim),
      fill('M120 262Q170 232 214 262T290 254V300H120z', color.forest),
    ),
  ]),
  'round-mirror': flat(backdrop.blush, [
    line('M132 160L200 62L268 160', color.walnut, 11),
    fill(oval(200, 60, 13), color.brass),
    cast(mirror),
    fill(mirror, color.brass),
    solid(
      oval(200, 228, 80, 98),
      '#dcebf0',
      fill('M110 300L260 120H300L150 330z', '#eef6f8'),
      fill('M180 340L320 170V210L220 340z', '#eef6f8'),
    ),
  ]),
  'seagrass-basket': standing(backdrop.mint, 112, [
    line('M112 190Q96 128 140 128Q166 128 164 186', color.walnut, 12),
    mirrored(line('M112 190Q96 128 140 128Q166 128 164 186', color.walnut, 12)),
    fill('M112 180Q150 132 204 150Q270 128 292 180z', color.cream),
    solid(
      basket,
      color.oak,
      faint(
        0.3,
        line(
          'M80 202q16-12 32 0t32 0t32 0t32 0t32 0t32 0t32 0t32 0M80 226q16 12 32 0t32 0t32 0t32 0t32 0t32 0t32 0M80 250q16-12 32 0t32 0t32 0t32 0t32 0t32 0t32 0M80 274q16 12 32 0t32 0t32 0t32 0t32 0t32 0t32 0M80 298q16-12 32 0t32 0t32 0t32 0t32 0t32 0t32 0',
          color.bark,
          6,
        ),
      ),
      fill('M70 236H330V268H70z', color.cream),
      shade(248),
    ),
    fill(box(80, 168, 240, 20, 10), color.walnut),
  ]),
  'oak-stool': standing(backdrop.oat, 112, [
    fill('M136 170H160L146 320H122zM240 170H264L278 320H254z', color.walnut),
    fill('M190 170H210V306H190z', color.bark),
    line('M142 256H258', color.walnut, 10),
    solid(
      'M92 148Q92 136 104 136H296Q308 136 308 148V162Q308 178 292 178H108Q92 178 92 162z',
      color.oak,
      shade(256),
      faint(0.25, line('M110 152H220M130 164H280M240 150H290', color.bark, 3)),
    ),
  ]),
};
