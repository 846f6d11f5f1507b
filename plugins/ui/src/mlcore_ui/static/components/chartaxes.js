// How a line chart is set up: its axes with their ticks, its scales, and how each line looks.
import { duration, number, time } from "../lib/format.js";
import { extent, points } from "../lib/series.js";
import { ink } from "../lib/theme.js";

const FONT = "11px system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";
const S = 1000;
// ticks of a span of time in ms
const SPANS = [1, 2, 5, 10, 20, 50, 100, 200, 500, S, 2 * S, 5 * S, 10 * S, 15 * S, 30 * S,
  ...[1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 7200, 14400, 43200].map((minutes) => minutes * 60 * S)];
const DASHES = [undefined, [9, 4], [2, 3], [9, 3, 2, 3]];

/** The position as people read it. @param {number} at @param {string} x */
export function place(at, x) {
  if (x === "time") return time(at);
  if (x === "relative") return duration(at);
  return x === "step" ? number(Math.round(at), 9) : number(at);
}

/** What stands before a position: "step ", or the name of the metric that is the axis. @param {string} x */
export function before(x) {
  return x === "time" || x === "relative" ? "" : `${x.replace(/^metrics\./, "")} `;
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

/** The axis at the bottom. */
function bottom(axis, { x, xLog }) {
  const across = { ...axis, size: 30, space: 55 };
  if (x === "relative") return { ...across, values: (_, splits) => splits.map((one) => (one === null ? "" : one === 0 ? "0" : duration(one))), ...(xLog ? {} : { incrs: SPANS }) };
  if (x === "time") return { ...across, size: 44, values: (_, splits, axis, space, by) => clock(splits, by) };
  if (x !== "step") return { ...across, values: (_, splits) => splits.map((one) => (one === null ? "" : number(one, 4))) };
  return xLog ? across : { ...across, values: (_, splits) => splits.map((one) => (Number.isInteger(one) ? number(one, 9) : "")) };
}

/**
 * Axes, scales and series, as the library wants them.
 * @param {() => any} spec see LineChart
 */
export function setUp(spec) {
  const { x, xLog, yLog, series } = spec();
  const axis = { stroke: ink("--muted"), font: FONT, grid: { stroke: ink("--grid"), width: 1 }, ticks: { stroke: ink("--grid"), width: 1, size: 4 } };
  const dashes = dashesOf(series);
  const line = (one) => ({ stroke: one.dim ? `${one.color}40` : one.color, width: series.length > 30 ? 1.1 : 1.6, dash: dashes.get(one.id), spanGaps: !one.odd, points: dots(one.color) });
  const raw = (one) => ({ stroke: `${one.color}38`, width: 1, spanGaps: !one.odd, points: { show: false } });
  return {
    scales: {
      x: { time: x === "time", distr: xLog ? 3 : 1, range: (_, min, max) => across(spec(), min, max) },
      y: { distr: yLog ? 3 : 1, range: (_, min, max) => upright(spec(), min, max) },
    },
    axes: [bottom(axis, spec()), { ...axis, size: (_, values) => Math.max(38, ...(values ?? []).map((one) => String(one ?? "").length * 6.4 + 14)),
      values: (_, splits) => splits.map((one) => (one === null ? "" : number(one, 4))) }],
    series: [{}, ...series.map(line), ...series.filter((one) => one.raw).map(raw)],
  };
}

/** The grid and the values of all lines. @returns {[any, ...any[]]} with `first`, how many positions are left out */
export function columns({ grid, series, xLog, yLog }) {
  // a logarithm has no place for zero and less
  let first = 0;
  if (xLog) while (first < grid.length && !(grid[first] > 0)) first += 1;
  const fit = (values, odd) => {
    const kept = first ? values.slice(first) : values;
    return yLog ? kept.map((value) => (value > 0 ? value : odd && value !== null ? undefined : null)) : kept;
  };
  const data = [first ? Array.from(grid).slice(first) : grid, ...series.map((one) => fit(one.values, one.odd)), ...series.filter((one) => one.raw).map((one) => fit(one.raw, one.odd))];
  return /** @type {any} */ (Object.assign(data, { first }));
}

function dots(color) {
  return {
    // a line needs two points; fewer are shown as what they are, and few can be told apart
    show: (plot, index) => { const n = points(plot.data[index]); return n === 1 || (n <= 24 && plot.series.length <= 12); },
    filter: (plot, index, show) => (show || plot.series[index].spanGaps ? null : alone(plot.data[index])),
    size: 5, fill: color, stroke: color,
  };
}

/** Points between two holes, which no line would show. @returns {number[]|null} */
function alone(values) {
  const found = [];
  let last = null;
  let joined = false;
  const end = () => { if (last !== null && !joined) found.push(last); };
  for (let at = 0; at < values.length; at += 1) {
    if (values[at] === undefined) continue;
    if (values[at] === null) { end(); last = null; joined = false; continue; }
    joined = last !== null;
    last = at;
  }
  end();
  return found.length ? found : null;
}

/** From where to where x goes. @param {any} spec */
export function across({ xLog }, min, max) {
  // from zero a logarithmic axis would never end
  if (min === null || max === null || (xLog && !(min > 0))) return xLog ? [1, 10] : [0, 1];
  if (min < max) return [min, max];
  return xLog ? [min / 2, max * 2] : [min - 1, max + 1];
}

function upright({ series, yLog }, min, max) {
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

/** Lines of one colour are told apart by their dashes. */
function dashesOf(series) {
  const met = new Map();
  return new Map(series.map((one) => {
    const before = met.get(one.color) ?? 0;
    met.set(one.color, before + 1);
    return [one.id, DASHES[before % DASHES.length]];
  }));
}
