// What a line chart draws with: uPlot for axes and lines, a second canvas above it for what is pointed at, so that pointing
// never draws a hundred lines again.
import { effect } from "../lib/html.js";
import { duration, number, time } from "../lib/format.js";
import { extent, nearest, points, valueAt } from "../lib/series.js";
import { ink } from "../lib/theme.js";
import { overlay, paintBand } from "./chartpaint.js";

const FONT = "11px system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";
const S = 1000;
// ticks of a span of time in ms
const SPANS = [1, 2, 5, 10, 20, 50, 100, 200, 500, S, 2 * S, 5 * S, 10 * S, 15 * S, 30 * S,
  ...[1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 7200, 14400, 43200].map((minutes) => minutes * 60 * S)];
const CLOSE_PX = 28;

/** The position as people read it. @param {number} at @param {string} x */
export function place(at, x) {
  if (x === "time") return time(at);
  return x === "relative" ? duration(at) : number(Math.round(at), 9);
}

/** Texts of a clock's ticks, the day below the first one and where another begins. @param {number[]} splits ms @param {number} by */
function clock(splits, by) {
  let day = "";
  return splits.map((at) => {
    if (at === null) return "";
    const [date, hour] = time(at).split(" ");
    const other = date !== day;
    day = date;
    if (by >= 86400 * S) return date;
    const text = by >= 60 * S ? hour.slice(0, 5) : by >= S ? hour : `${hour.slice(3)}.${String(at % S).padStart(3, "0")}`;
    return other ? `${text}\n${date}` : text;
  });
}

export class ChartView {
  /** @param {any} Plot @param {HTMLElement} box @param {() => any} spec what is to be drawn now, see LineChart */
  constructor(Plot, box, spec) {
    this.Plot = Plot;
    this.box = box;
    this.spec = spec;
    this.canvas = document.createElement("canvas");
    this.canvas.className = "chart-over";
    this.canvas.setAttribute("aria-hidden", "true");
    this.plot = new Plot(this.#options(), this.#data(), box);
    const image = this.plot.ctx.canvas;
    image.setAttribute("role", "img");
    image.setAttribute("aria-label", spec().label);
    this.plot.over.append(this.canvas);
    this.plot.over.addEventListener("mousemove", (event) => this.#point(event));
    this.plot.over.addEventListener("mouseleave", () => this.leave());
    this.plot.over.addEventListener("dblclick", () => this.#zoom(null, null));
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
    this.plot.setData(this.#data(), false);
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
    const done = this.#keys()[event.key]?.(event);
    if (done === undefined) return;
    event.preventDefault();
    event.stopPropagation();
  }

  #keys() {
    const step = (by) => (event) => this.#move(event.shiftKey ? by * 10 : by);
    return {
      ArrowRight: step(1), ArrowLeft: step(-1), Home: () => this.#move(-Infinity), End: () => this.#move(Infinity),
      ArrowDown: () => this.#next(1), ArrowUp: () => this.#next(-1),
      "+": () => this.#nearer(0.5), "=": () => this.#nearer(0.5), "-": () => this.#nearer(2),
      Enter: () => { if (!this.spec().onOpen) return undefined; this.spec().onOpen(); return true; },
      Escape: () => {
        if (this.spec().range) { this.#zoom(null, null); return true; }
        if (this.at === null) return undefined;
        this.leave();
        return true;
      },
    };
  }

  #move(by) {
    const { cursor, x } = this.spec();
    const grid = this.plot.data[0];
    const [low, high] = this.#shown();
    const now = this.at === null ? (by > 0 && Number.isFinite(by) ? low - 1 : high + 1) : nearest(grid, this.at);
    const at = Math.max(low, Math.min(high, now + by));
    if (at < 0) return true;
    cursor.value = grid[at];
    this.#tell(x, at);
    return true;
  }

  #next(by) {
    const { cursor, series, hovered, onHover, x } = this.spec();
    const grid = this.plot.data[0];
    if (!grid.length) return true;
    if (this.at === null) cursor.value = grid[this.#shown()[1]];
    const at = nearest(grid, this.at);
    const order = series.map((one, index) => ({ one, value: valueAt(grid, this.plot.data[index + 1], at) }))
      .filter(({ value }) => value !== null).sort((a, b) => b.value - a.value);
    if (!order.length) return true;
    const now = order.findIndex(({ one }) => one.id === hovered);
    const next = now < 0 ? (by > 0 ? 0 : order.length - 1) : (now + by + order.length) % order.length;
    onHover?.(order[next].one.id);
    this.#tell(x, at, order[next].one.id);
    return true;
  }

  #tell(x, at, id = this.spec().hovered) {
    const { series, say } = this.spec();
    const grid = this.plot.data[0];
    const index = series.length === 1 ? 0 : series.findIndex((one) => one.id === id);
    const where = `${x === "step" ? "step " : ""}${place(grid[at], x)}`;
    const value = index < 0 ? null : valueAt(grid, this.plot.data[index + 1], at);
    say(index < 0 ? where : `${where}: ${series[index].label} ${value === null ? "no value" : number(value)}`);
  }

  #nearer(factor) {
    const { min, max } = this.plot.scales.x;
    const middle = this.at ?? (min + max) / 2;
    const half = ((max - min) / 2) * factor;
    if (factor > 1 && !this.spec().range) return true;
    this.#zoom(middle - half, middle + half);
    return true;
  }

  #zoom(start, end) {
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
      const value = valueAt(grid, this.plot.data[index + 1], at);
      if (value === null || one.dim) return;
      const away = Math.abs(this.plot.valToPos(value, "y") - event.offsetY);
      if (away < least) { least = away; best = one.id; }
    });
    cursor.value = grid[at];
    if (best !== (hovered ?? null)) onHover?.(best);
  }

  #shown() {
    const grid = this.plot.data[0];
    if (!grid.length) return [-1, -1];
    const { min, max } = this.plot.scales.x;
    return [nearest(grid, min ?? grid[0]), nearest(grid, max ?? grid[grid.length - 1])];
  }

  #data() {
    const { grid, series, xLog, yLog } = this.spec();
    // a logarithm has no place for zero and less
    let first = 0;
    if (xLog) while (first < grid.length && !(grid[first] > 0)) first += 1;
    const fit = (values) => {
      const kept = first ? values.slice(first) : values;
      return yLog ? kept.map((value) => (value > 0 ? value : null)) : kept;
    };
    return [first ? Array.from(grid).slice(first) : grid, ...series.map((one) => fit(one.values)), ...series.filter((one) => one.raw).map((one) => fit(one.raw))];
  }

  #scale() {
    const { range, xLog } = this.spec();
    const grid = this.plot.data[0];
    if (!grid.length) return;
    let [min, max] = range ?? [grid[0], grid[grid.length - 1]];
    if (xLog && min <= 0) min = Math.min(grid[0], max);
    [min, max] = this.#across(min, max);
    this.plot.setScale("x", { min, max });
  }

  #options() {
    const { x, xLog, yLog, height, series } = this.spec();
    const axis = { stroke: ink("--muted"), font: FONT, grid: { stroke: ink("--grid"), width: 1 }, ticks: { stroke: ink("--grid"), width: 1, size: 4 } };
    const dashes = dashesOf(series);
    const line = (one) => ({ stroke: one.dim ? `${one.color}40` : one.color, width: series.length > 30 ? 1.1 : 1.6, dash: dashes.get(one.id), spanGaps: true, points: this.#dots(one.color) });
    const raw = (one) => ({ stroke: `${one.color}38`, width: 1, spanGaps: true, points: { show: false } });
    const across = { ...axis, size: 30, space: 55 };
    if (x === "relative") Object.assign(across, { values: (_, splits) => splits.map((one) => (one === null ? "" : one === 0 ? "0" : duration(one))), ...(xLog ? {} : { incrs: SPANS }) });
    if (x === "time") Object.assign(across, { size: 44, values: (_, splits, axis, space, by) => clock(splits, by) });
    if (x === "step" && !xLog) Object.assign(across, { values: (_, splits) => splits.map((one) => (Number.isInteger(one) ? number(one, 9) : "")) });
    return {
      width: this.box.clientWidth || 300, height, ms: 1, pxAlign: 1, legend: { show: false }, padding: [10, 22, 0, 0],
      cursor: { x: false, y: false, points: { show: false }, drag: { x: true, y: false, setScale: false, dist: 5 }, bind: { dblclick: () => null } },
      scales: {
        x: { time: x === "time", distr: xLog ? 3 : 1, range: (_, min, max) => this.#across(min, max) },
        y: { distr: yLog ? 3 : 1, range: (_, min, max) => this.#upright(min, max) },
      },
      axes: [across, { ...axis, size: (_, values) => Math.max(38, ...(values ?? []).map((one) => String(one ?? "").length * 6.4 + 14)),
        values: (_, splits) => splits.map((one) => (one === null ? "" : number(one, 4))) }],
      series: [{}, ...series.map(line), ...series.filter((one) => one.raw).map(raw)],
      hooks: { setSelect: [(plot) => this.#selected(plot)], drawAxes: [(plot) => this.#bands(plot)] },
    };
  }

  #dots(color) {
    // a line needs two points; fewer are shown as what they are, and few can be told apart
    return { show: (plot, index) => { const n = points(plot.data[index]); return n === 1 || (n <= 24 && plot.series.length <= 12); }, size: 5, fill: color, stroke: color };
  }

  #across(min, max) {
    const { xLog } = this.spec();
    // from zero a logarithmic axis would never end
    if (min === null || max === null || (xLog && !(min > 0))) return xLog ? [1, 10] : [0, 1];
    if (min < max) return [min, max];
    return xLog ? [min / 2, max * 2] : [min - 1, max + 1];
  }

  #upright(min, max) {
    const { series, yLog } = this.spec();
    let [low, high] = [min ?? Infinity, max ?? -Infinity];
    for (const one of series) {
      if (!one.band || one.band.onTop) continue;
      low = Math.min(low, extent(one.band.min, yLog ? 0 : undefined)?.[0] ?? low);
      high = Math.max(high, extent(one.band.max, yLog ? 0 : undefined)?.[1] ?? high);
    }
    if (!(low <= high)) return yLog ? [1, 10] : [0, 1];
    if (yLog) return low === high ? [low / 2, high * 2] : [low / (high / low) ** 0.04, high * (high / low) ** 0.04];
    const pad = low === high ? Math.abs(low) * 0.1 || 1 : (high - low) * 0.05;
    return [low - pad, high + pad];
  }

  #selected(plot) {
    const { left, width } = plot.select;
    if (width < 5) return;
    const [start, end] = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.#zoom(start, end);
  }

  #bands(plot) {
    for (const one of this.spec().series) if (one.band && !one.band.onTop) paintBand(plot, plot.ctx, one, { x: plot.bbox.left, y: plot.bbox.top, grid: this.spec().grid });
  }
}

const DASHES = [undefined, [9, 4], [2, 3], [9, 3, 2, 3]];

/** Lines of one colour are told apart by their dashes. */
function dashesOf(series) {
  const met = new Map();
  return new Map(series.map((one) => {
    const before = met.get(one.color) ?? 0;
    met.set(one.color, before + 1);
    return [one.id, DASHES[before % DASHES.length]];
  }));
}
