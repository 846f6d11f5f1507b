// One line for each group of runs: the mean of its runs at each place, with a band from their minimum to their maximum.
import { holed } from "../../lib/series.js";
import { smooth } from "../../lib/smoothing.js";

/**
 * @param {import("../../lib/series.js").Curves} curves
 * @param {{run_id: string, group?: string}[]} runs @param {{id: string, name: string, color: string}[]} groups
 * @param {{weight: number, span?: number}} how
 */
export function groupLines(curves, runs, groups, { weight, span }) {
  const groupOf = new Map(runs.map((run) => [run.run_id, run.group]));
  return groups.map((group) => {
    const some = curves.curves.filter((curve) => groupOf.get(curve.run_id) === group.id);
    const { mean, min, max } = together(curves.grid, some);
    const odd = marks(some);
    const lasts = some.map((curve) => curve.last).filter((value) => typeof value === "number");
    const values = holed(mean, odd);
    return {
      id: group.id, label: `${group.name} (${some.length})`, color: group.color, odd, runs: some.length,
      count: some.reduce((sum, curve) => sum + curve.count, 0), last: lasts.length ? lasts.reduce((sum, value) => sum + value, 0) / lasts.length : null,
      values: smooth(curves.grid, values, weight, span), raw: undefined, band: some.length > 1 ? { min, max, odd } : undefined,
    };
  }).filter((line) => line.runs > 0);
}

/** Mean, min and max at each place, of the lines as they are drawn: between two points of a run is its line. */
function together(grid, curves) {
  const n = grid.length;
  const [sum, counts] = [new Float64Array(n), new Uint32Array(n)];
  /** @type {[(number|null)[], (number|null)[]]} */
  const [min, max] = [new Array(n).fill(null), new Array(n).fill(null)];
  const put = (at, value) => {
    sum[at] += value;
    counts[at] += 1;
    if (min[at] === null || value < min[at]) min[at] = value;
    if (max[at] === null || value > max[at]) max[at] = value;
  };
  for (const { values: { last }, odd } of curves) {
    let before = -1;
    let hole = false;
    for (let at = 0; at < n; at += 1) {
      const value = last[at];
      if (value === null) { hole ||= Boolean(odd?.has(at)); continue; }
      for (let between = before + 1; before >= 0 && !hole && between < at; between += 1) {
        put(between, last[before] + ((grid[between] - grid[before]) / (grid[at] - grid[before])) * (value - last[before]));
      }
      put(at, value);
      before = at;
      hole = false;
    }
  }
  const mean = Array.from(sum, (value, at) => (counts[at] ? value / counts[at] : null));
  return { mean, min, max };
}

/** Where some run of a group is not finite. */
function marks(curves) {
  const found = new Map();
  for (const { odd } of curves) {
    for (const [at, text] of odd ?? []) found.set(at, [...new Set([...(found.get(at)?.split(", ") ?? []), ...text.split(", ")])].join(", "));
  }
  return found.size ? new Map([...found].sort(([a], [b]) => a - b)) : undefined;
}
