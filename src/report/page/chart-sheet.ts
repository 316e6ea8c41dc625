import { type ChartData, type LineChart, lineChart } from './line-chart.js';

/** Draws a page's charts, and gathers what its script reads values off. */
export class ChartSheet {
  /** By the charts' ids. */
  readonly data: Record<string, ChartData> = {};

  /** Charts side by side. */
  draw(...charts: readonly LineChart[]): string {
    const drawn = charts.map((chart) => {
      const { html, data } = lineChart(chart);
      this.data[chart.id] = data;
      return html;
    });
    return `<div class="charts">${drawn.join('')}</div>`;
  }
}
