import { type EChartsCoreOption, init } from 'echarts';

export interface Picture {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Accessible title. */
  readonly title: string;
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
