import { type EChartsCoreOption, init } from 'echarts';

export interface Picture {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Accessible title. */
  readonly title: string;
}

const exact = new Intl.NumberFormat('en-US');
const compact = new Intl.NumberFormat('en-US', { notation: 'compact', maximumSignificantDigits: 3 });

/** Formats a label of an axis, which has no room for the digits of a large number: `90,000`, `125K`, `1.2M`. */
export function axisNumber(value: number): string {
  return (Math.abs(value) < 100_000 ? exact : compact).format(value);
}

/** Renders a chart as an SVG document. */
export function drawSvg(option: EChartsCoreOption, { title, ...size }: Picture): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, ...size });
  try {
    chart.setOption(option);
    const text = title.replace(/[&<]/g, (character) => `&#${character.charCodeAt(0)};`);
    return chart
      .renderToSVGString()
      .replace(/^<svg ([^>]*)>/, (_, attributes) => `<svg role="img" ${attributes}>\n<title>${text}</title>`);
  } finally {
    // A timer of an undisposed chart keeps the process alive.
    chart.dispose();
  }
}
