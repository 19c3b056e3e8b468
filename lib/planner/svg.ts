import { type EChartsCoreOption, init } from 'echarts';

/** A chart as an SVG document of so many pixels. */
export function drawSvg(option: EChartsCoreOption, size: { readonly width: number; readonly height: number }): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, ...size });
  try {
    chart.setOption(option);
    return chart.renderToSVGString();
  } finally {
    // Without it, a timer of the chart keeps the process alive.
    chart.dispose();
  }
}
