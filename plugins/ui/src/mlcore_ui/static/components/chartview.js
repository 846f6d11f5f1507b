// What a line chart draws with: uPlot for axes and lines, a second canvas above it for what is pointed at, so that pointing
// never draws a hundred lines again.
import { effect } from "../lib/html.js";
import { nearest, valueAt } from "../lib/series.js";
import { across, columns, setUp } from "./chartaxes.js";
import { pressed } from "./chartkeys.js";
import { overlay, paintBand, paintOdd } from "./chartpaint.js";

const CLOSE_PX = 28;

export class ChartView {
  /** @param {any} Plot @param {HTMLElement} box @param {() => any} spec what is to be drawn now, see LineChart */
  constructor(Plot, box, spec) {
    this.box = box;
    this.spec = spec;
    this.at = /** @type {number|null} */ (null);
    this.canvas = document.createElement("canvas");
    this.canvas.className = "chart-over";
    this.canvas.setAttribute("aria-hidden", "true");
    this.plot = new Plot(this.#options(), columns(spec()), box);
    const image = this.plot.ctx.canvas;
    image.setAttribute("role", "img");
    image.setAttribute("aria-label", spec().label);
    this.plot.over.append(this.canvas);
    this.plot.over.addEventListener("mousemove", (event) => this.#point(event));
    this.plot.over.addEventListener("mouseleave", () => this.leave());
    this.plot.over.addEventListener("dblclick", () => this.zoom(null, null));
    this.#scale();
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(box);
    this.stop = effect(() => { this.at = this.spec().cursor.value; this.over(); });
  }

  destroy() {
    this.stop();
    this.sizes.disconnect();
    this.plot.destroy();
  }

  /** Draw other data with the same lines. */
  update() {
    this.plot.setData(columns(this.spec()), false);
    this.#scale();
    this.plot.ctx.canvas.setAttribute("aria-label", this.spec().label);
    this.over();
  }

  resize() {
    const width = this.box.clientWidth;
    const height = this.spec().height;
    if (!width || (width === this.plot.width && height === this.plot.height)) return;
    this.plot.setSize({ width, height });
    this.over();
  }

  /** Draw what is pointed at. */
  over() {
    if (!this.plot) return;
    const { width, height } = this.plot.bbox;
    overlay(this.canvas, { width, height, ratio: devicePixelRatio, view: this });
  }

  /** The chart as one picture. @returns {HTMLCanvasElement} */
  picture() {
    return this.plot.ctx.canvas;
  }

  leave() {
    const { cursor, onHover, hovered } = this.spec();
    if (cursor.value !== null) cursor.value = null;
    if (hovered) onHover?.(null);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (pressed(this, event) === undefined) return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Show a part of x; all of it for null. @param {number|null} start @param {number|null} end */
  zoom(start, end) {
    const { onZoom } = this.spec();
    if (onZoom) onZoom(start, end);
    else if (start === null) this.#scale();
    else this.plot.setScale("x", { min: start, max: end });
  }

  #point(event) {
    const { cursor, onHover, hovered, series } = this.spec();
    const grid = this.plot.data[0];
    const at = nearest(grid, this.plot.posToVal(event.offsetX, "x"));
    if (at < 0) return;
    let best = null;
    let least = CLOSE_PX;
    series.forEach((one, index) => {
      const value = valueAt(grid, this.plot.data[index + 1], at, one.odd);
      if (value === null || one.dim) return;
      const away = Math.abs(this.plot.valToPos(value, "y") - event.offsetY);
      if (away < least) { least = away; best = one.id; }
    });
    cursor.value = grid[at];
    if (best !== (hovered ?? null)) onHover?.(best);
  }

  #scale() {
    const { range, xLog } = this.spec();
    const grid = this.plot.data[0];
    if (!grid.length) return;
    let [min, max] = range ?? [grid[0], grid[grid.length - 1]];
    if (xLog && min <= 0) min = Math.min(grid[0], max);
    [min, max] = across(this.spec(), min, max);
    this.plot.setScale("x", { min, max });
  }

  #options() {
    return {
      width: this.box.clientWidth || 300, height: this.spec().height, ms: 1, pxAlign: 1, legend: { show: false }, padding: [10, 22, 0, 0],
      cursor: { x: false, y: false, points: { show: false }, drag: { x: true, y: false, setScale: false, dist: 5 }, bind: { dblclick: () => null } },
      ...setUp(this.spec),
      hooks: { setSelect: [(plot) => this.#selected(plot)], drawAxes: [(plot) => this.#bands(plot)], draw: [(plot) => this.#marks(plot)] },
    };
  }

  #selected(plot) {
    const { left, width } = plot.select;
    if (width < 5) return;
    const [start, end] = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.zoom(start, end);
  }

  #bands(plot) {
    for (const one of this.spec().series) if (one.band && !one.band.onTop) paintBand(plot, plot.ctx, one, { x: plot.bbox.left, y: plot.bbox.top, grid: this.spec().grid });
  }

  #marks(plot) {
    for (const one of this.spec().series) if (one.odd) paintOdd(plot, one, this.spec().grid);
  }
}
