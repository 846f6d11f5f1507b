// Curves as the server sends them, and what charts ask of them. Nothing here touches the page.

/**
 * @typedef {{run_id: string, key: string, count: number, first_x: number|null, last_x: number|null, last: number|string|null,
 *   values: Record<string, (number|null)[]>}} Curve one run's values of one metric, by statistic; null: no point there
 * @typedef {{n: number, x: string, exact: boolean, stats: string[], grid: Float64Array, curves: Curve[]}} Curves
 *   all on one ascending grid; exact: the grid holds the real positions, nothing was put together
 */

/**
 * Read an answer of `metrics:series`: a head in JSON, the grid as float64, then float32 for each curve and statistic.
 * @param {ArrayBuffer} buffer @returns {Curves}
 * @throws {RangeError} when the bytes end too early
 */
export function decode(buffer) {
  if (buffer.byteLength < 4) throw new RangeError(`curves of ${buffer.byteLength} bytes, expected a length of 4 bytes at least`);
  const length = new DataView(buffer).getUint32(0, true);
  const { series, ...head } = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  // the numbers begin at a multiple of 8, so that they can be read where they lie
  let at = Math.ceil((4 + length) / 8) * 8;
  const wanted = at + head.n * 8 + series.length * head.stats.length * head.n * 4;
  if (buffer.byteLength < wanted) throw new RangeError(`curves of ${buffer.byteLength} bytes, expected ${wanted}`);
  const grid = new Float64Array(buffer, at, head.n);
  at += head.n * 8;
  const curves = series.map((one) => {
    const values = {};
    for (const stat of head.stats) {
      values[stat] = gaps(new Float32Array(buffer, at, head.n));
      at += head.n * 4;
    }
    return { ...one, values };
  });
  return { ...head, grid, curves };
}

/**
 * Values with null where there is no number: one NaN would make the scale of a chart NaN, and the chart blank.
 * @param {ArrayLike<number>} values @returns {(number|null)[]}
 */
export function gaps(values) {
  const found = new Array(values.length);
  for (let at = 0; at < values.length; at += 1) found[at] = Number.isFinite(values[at]) ? values[at] : null;
  return found;
}

/** How many points are there. @param {(number|null)[]} values */
export function points(values) {
  let found = 0;
  for (let at = 0; at < values.length; at += 1) if (values[at] !== null) found += 1;
  return found;
}

/** The least and the greatest, or null when there is none. @param {(number|null)[]} values @returns {[number, number]|null} */
export function extent(values, above = -Infinity) {
  let low = Infinity;
  let high = -Infinity;
  for (let at = 0; at < values.length; at += 1) {
    const value = values[at];
    if (value === null || value <= above) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : null;
}

/** The place in an ascending grid that is next to *x*; -1 in an empty one. @param {ArrayLike<number>} grid @param {number} x */
export function nearest(grid, x) {
  if (!grid.length) return -1;
  let low = 0;
  let high = grid.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (grid[middle] < x) low = middle + 1; else high = middle;
  }
  return low > 0 && x - grid[low - 1] <= grid[low] - x ? low - 1 : low;
}

/**
 * What a curve shows at a place of the grid: its value there, or on the line between its neighbours; null outside of it.
 * @param {ArrayLike<number>} grid @param {(number|null)[]} values @param {number} at
 */
export function valueAt(grid, values, at) {
  if (values[at] !== null) return values[at] ?? null;
  let before = at - 1;
  let after = at + 1;
  while (before >= 0 && values[before] === null) before -= 1;
  while (after < values.length && values[after] === null) after += 1;
  if (before < 0 || after >= values.length) return null;
  const share = (grid[at] - grid[before]) / (grid[after] - grid[before]);
  return values[before] + share * (values[after] - values[before]);
}

/**
 * Points of one curve in the tidy form: one row for each.
 * @param {Curves} curves @param {(id: string) => string} name
 * @returns {(string|number|null)[][]} with a row of names first
 */
export function rows(curves, name) {
  /** @type {(string|number|null)[][]} */
  const found = [["run_id", "run", "metric", curves.x === "step" ? "step" : `${curves.x}_ms`, ...curves.stats]];
  for (const curve of curves.curves) {
    for (let at = 0; at < curves.n; at += 1) {
      const cells = curves.stats.map((stat) => curve.values[stat][at]);
      if (cells.some((cell) => cell !== null)) found.push([curve.run_id, name(curve.run_id), curve.key, curves.grid[at], ...cells]);
    }
  }
  return found;
}
