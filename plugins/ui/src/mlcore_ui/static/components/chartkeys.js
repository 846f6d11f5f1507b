// A line chart by its keys: along the axis, from line to line, nearer and farther; what is met is said.
import { number } from "../lib/format.js";
import { nearest, valueAt } from "../lib/series.js";
import { before, place } from "./chartaxes.js";

/**
 * Do what a key stands for. @param {import("./chartview.js").ChartView} view @param {KeyboardEvent} event
 * @returns {true|undefined} whether it stands for something
 */
export function pressed(view, event) {
  const step = (by) => () => move(view, event.shiftKey ? by * 10 : by);
  const keys = {
    ArrowRight: step(1), ArrowLeft: step(-1), Home: () => move(view, -Infinity), End: () => move(view, Infinity),
    ArrowDown: () => next(view, 1), ArrowUp: () => next(view, -1),
    "+": () => nearer(view, 0.5), "=": () => nearer(view, 0.5), "-": () => nearer(view, 2),
    Enter: () => { if (!view.spec().onOpen) return undefined; view.spec().onOpen(); return true; },
    Escape: () => {
      if (view.spec().range) { view.zoom(null, null); return true; }
      if (view.at === null) return undefined;
      view.leave();
      return true;
    },
  };
  return keys[event.key]?.();
}

function move(view, by) {
  const { cursor } = view.spec();
  const grid = view.plot.data[0];
  const [low, high] = shown(view);
  const now = view.at === null ? (by > 0 && Number.isFinite(by) ? low - 1 : high + 1) : nearest(grid, view.at);
  const at = Math.max(low, Math.min(high, now + by));
  if (at < 0) return true;
  cursor.value = grid[at];
  tell(view, at);
  return true;
}

function next(view, by) {
  const { cursor, series, hovered, onHover } = view.spec();
  const grid = view.plot.data[0];
  if (!grid.length) return true;
  if (view.at === null) cursor.value = grid[shown(view)[1]];
  const at = nearest(grid, view.at);
  const order = series.map((one, index) => ({ one, value: valueAt(grid, view.plot.data[index + 1], at, one.odd) }))
    .filter(({ value }) => value !== null).sort((a, b) => b.value - a.value);
  if (!order.length) return true;
  const now = order.findIndex(({ one }) => one.id === hovered);
  const to = now < 0 ? (by > 0 ? 0 : order.length - 1) : (now + by + order.length) % order.length;
  onHover?.(order[to].one.id);
  tell(view, at, order[to].one.id);
  return true;
}

function tell(view, at, id = view.spec().hovered) {
  const { series, say, x } = view.spec();
  const grid = view.plot.data[0];
  const index = series.length === 1 ? 0 : series.findIndex((one) => one.id === id);
  const where = `${before(x)}${place(grid[at], x)}`;
  if (index < 0) { say(where); return; }
  const { label, odd } = series[index];
  const value = valueAt(grid, view.plot.data[index + 1], at, odd) ?? odd?.get(at + view.plot.data.first) ?? null;
  say(`${where}: ${label} ${value === null ? "no value" : number(value)}`);
}

function nearer(view, factor) {
  const { min, max } = view.plot.scales.x;
  const middle = view.at ?? (min + max) / 2;
  const half = ((max - min) / 2) * factor;
  if (factor > 1 && !view.spec().range) return true;
  view.zoom(middle - half, middle + half);
  return true;
}

/** The first and the last position that are in sight. */
function shown(view) {
  const grid = view.plot.data[0];
  if (!grid.length) return [-1, -1];
  const { min, max } = view.plot.scales.x;
  return [nearest(grid, min ?? grid[0]), nearest(grid, max ?? grid[grid.length - 1])];
}
