import { type EChartsCoreOption, init } from 'echarts';

export interface Picture {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** What it shows, for those who do not see it. */
  readonly title: string;
}

/** A chart as an SVG document. */
export function drawSvg(option: EChartsCoreOption, { title, ...size }: Picture): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, ...size });
  try {
    chart.setOption(option);
    const text = title.replace(/[&<]/g, (character) => `&#${character.charCodeAt(0)};`);
    return chart
      .renderToSVGString()
      .replace(/^<svg ([^>]*)>/, (_, attributes) => `<svg role="img" ${attributes}>\n<title>${text}</title>`);
  } finally {
    // Without it, a timer of the chart keeps the process alive.
    chart.dispose();
  }
}
