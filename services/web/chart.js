import { Component, createRef } from '/modules/preact.js';
import UPlot from '/modules/uplot.js';
import { html } from './markup.js';

/**
 * @typedef {object} ChartSeries
 * @property {string} label
 * @property {string} color name of a custom property of tokens.css
 * @property {string} [fill] name of a custom property
 * @property {number} [width]
 * @property {number[]} [dash]
 * @property {boolean} [stepped]
 */

/**
 * @typedef {object} ChartProps
 * @property {ChartSeries[]} series
 * @property {UPlot.AlignedData} data x in seconds since the epoch
 * @property {number} height
 * @property {string} summary what the chart says, for those who can't see it
 * @property {(value: number) => string} format
 * @property {(range: [number, number]) => [number, number]} yRange
 */

/**
 * The colour that a custom property stands for in the theme now; a canvas knows no properties.
 * @param {Element} near
 * @param {string} name
 */
function colorOf(near, name) {
  const probe = document.createElement('i');
  probe.style.color = `var(${name})`;
  near.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

const FONT = '11px system-ui, sans-serif';

/** A line chart over time, in UTC, that follows its width, its theme and its data. */
export class Chart extends Component {
  /** @param {ChartProps} props */
  constructor(props) {
    super(props);
    /** @type {import('/modules/preact.js').RefObject<HTMLDivElement | null>} */
    this.box = createRef();
    /** @type {UPlot | undefined} */
    this.plot = undefined;
    this.redraw = () => this.plot?.redraw(false);
    this.resize = () => {
      const width = this.box.current?.clientWidth ?? 0;
      if (width > 0) this.plot?.setSize({ width, height: this.chart().height });
    };
    this.observer = new ResizeObserver(this.resize);
    this.dark = matchMedia('(prefers-color-scheme: dark)');
  }

  chart() {
    return /** @type {ChartProps} */ (/** @type {unknown} */ (this.props));
  }

  /** @override */
  componentDidMount() {
    const box = this.box.current;
    if (box === null) return;
    this.plot = new UPlot(this.options(box), this.chart().data, box);
    this.observer.observe(box);
    this.dark.addEventListener('change', this.redraw);
    addEventListener('themechange', this.redraw);
  }

  /** @override */
  componentDidUpdate() {
    this.plot?.setData(this.chart().data);
  }

  /** @override */
  componentWillUnmount() {
    this.observer.disconnect();
    this.dark.removeEventListener('change', this.redraw);
    removeEventListener('themechange', this.redraw);
    this.plot?.destroy();
  }

  /**
   * @param {HTMLElement} box
   * @returns {UPlot.Options}
   */
  options(box) {
    const { series, height, format, yRange } = this.chart();
    const axis = {
      stroke: () => colorOf(box, '--muted'),
      grid: { stroke: () => colorOf(box, '--line'), width: 1 },
      ticks: { show: false },
      font: FONT,
    };
    const stepped = UPlot.paths.stepped?.({ align: 1 });
    return {
      width: box.clientWidth || 300,
      height,
      padding: [8, 18, 0, 0],
      tzDate: (seconds) => UPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
      cursor: { points: { size: 6 }, drag: { x: false, y: false }, y: false },
      legend: { show: true, live: true, markers: { show: false } },
      hooks: { ready: [showNewest], setData: [showNewest], setCursor: [showNewest] },
      scales: { y: { range: (_, min, max) => yRange([min, max]) } },
      axes: [
        { ...axis, size: 24, gap: 6, space: 64, values: clockLabels },
        { ...axis, size: 44, gap: 6, space: 28, values: (_, marks) => marks.map(format) },
      ],
      series: [
        { label: 'UTC', value: (_, at) => (at === null ? '' : clockLabel(at)) },
        ...series.map((line) => ({
          label: line.label,
          stroke: () => colorOf(box, line.color),
          ...(line.fill === undefined ? {} : { fill: () => colorOf(box, line.fill ?? '') }),
          width: line.width ?? 1.5,
          ...(line.dash === undefined ? {} : { dash: line.dash }),
          ...(line.stepped === true && stepped !== undefined ? { paths: stepped } : {}),
          points: { show: false },
          /**
           * @param {unknown} _
           * @param {number | null} value
           */
          value: (_, value) => (value === null ? '–' : format(value)),
        })),
      ],
    };
  }

  /** @override */
  render() {
    const { height, summary } = this.chart();
    return html`
      <div class="chart" role="img" aria-label=${summary} style=${{ minHeight: `${height}px` }}
        ref=${this.box}></div>
    `;
  }
}

/**
 * Without a pointer over it, the legend tells the newest values.
 * @param {UPlot} plot
 */
function showNewest(plot) {
  if (plot.cursor.idx !== null && plot.cursor.idx !== undefined) return;
  const [, first] = plot.data;
  const newest = first?.findLastIndex((value) => value !== null && value !== undefined) ?? -1;
  if (newest >= 0) plot.setLegend({ idx: newest }, false);
}

/** @param {number} seconds */
function clockLabel(seconds) {
  return new Date(seconds * 1000).toISOString().slice(11, 19);
}

/**
 * @param {unknown} _
 * @param {number[]} marks
 */
function clockLabels(_, marks) {
  return marks.map((at) => new Date(at * 1000).toISOString().slice(11, 16));
}
