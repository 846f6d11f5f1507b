// Curves as the server sends them, and what charts ask of them. Nothing here touches the page.

/**
 * @typedef {{run_id: string, key: string, count: number, first_x: number|null, last_x: number|null, last: number|string|null,
 *   values: Record<string, (number|null)[]>, odd?: Map<number, string>}} Curve one run's values of one metric, by statistic;
 *   null: no finite value there. odd: positions with points that are not finite, such as "NaN" or "NaN, -Inf"; absent without any
 * @typedef {{n: number, x: string, exact: boolean, stats: string[], grid: Float64Array, curves: Curve[]}} Curves
 *   all on one ascending grid; exact: the grid holds the real positions, nothing was put together
 */

/**
 * Read an answer of `metrics:series`: a head in JSON, the grid as float64, then values for each curve and statistic,
 * float32 unless the head has the width 8.
 * @param {ArrayBuffer} buffer @returns {Curves}
 * @throws {RangeError} when the bytes end too early
 */
export function decode(buffer) {
  if (buffer.byteLength < 4) throw new RangeError(`curves of ${buffer.byteLength} bytes, expected a length of 4 bytes at least`);
  const length = new DataView(buffer).getUint32(0, true);
  const { series, width = 4, ...head } = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const Column = width === 8 ? Float64Array : Float32Array;
  // the numbers begin at a multiple of 8, so that they can be read where they lie
  let at = Math.ceil((4 + length) / 8) * 8;
  const wanted = at + head.n * 8 + series.length * head.stats.length * head.n * width;
  if (buffer.byteLength < wanted) throw new RangeError(`curves of ${buffer.byteLength} bytes, expected ${wanted}`);
  const grid = new Float64Array(buffer, at, head.n);
  at += head.n * 8;
  const curves = series.map(({ nan, infinity, minus_infinity, ...one }) => {
    const values = {};
    for (const stat of head.stats) {
      values[stat] = gaps(new Column(buffer, at, head.n));
      at += head.n * width;
    }
    const odd = marks({ NaN: nan, Inf: infinity, "-Inf": minus_infinity });
    return odd ? { ...one, values, odd } : { ...one, values };
  });
  return { ...head, grid, curves };
}

/** What is not finite, by position. @param {Record<string, [number, number][]|undefined>} kinds stretches of positions */
function marks(kinds) {
  const found = new Map();
  for (const [kind, stretches] of Object.entries(kinds)) {
    for (const [first, last] of stretches ?? []) {
      for (let at = first; at <= last; at += 1) found.set(at, found.has(at) ? `${found.get(at)}, ${kind}` : kind);
    }
  }
  return found.size ? new Map([...found].sort(([a], [b]) => a - b)) : undefined;
}

/**
 * Values in which null is a hole, a stretch with points that are not finite, and undefined is only no point.
 * @param {(number|null)[]} values @param {Map<number, string>|undefined} odd @returns {(number|null|undefined)[]} the same ones without odd
 */
export function holed(values, odd) {
  if (!odd) return values;
  /** @type {(number|null|undefined)[]} */
  const found = values.slice();
  let begin = 0;
  let hole = false;
  for (let at = 0; at <= values.length; at += 1) {
    if (at < values.length && values[at] === null) { hole ||= odd.has(at); continue; }
    if (!hole) found.fill(undefined, begin, at);
    begin = at + 1;
    hole = false;
  }
  return found;
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

/** How many points are there. @param {(number|null|undefined)[]} values */
export function points(values) {
  let found = 0;
  for (let at = 0; at < values.length; at += 1) if (values[at] !== null && values[at] !== undefined) found += 1;
  return found;
}

/** The minimum and the maximum, or null when there is none. @param {(number|null|undefined)[]} values @returns {[number, number]|null} */
export function extent(values, above = -Infinity) {
  let low = Infinity;
  let high = -Infinity;
  for (let at = 0; at < values.length; at += 1) {
    const value = values[at];
    if (value === null || value === undefined || value <= above) continue;
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
 * @param {ArrayLike<number>} grid @param {(number|null|undefined)[]} values @param {number} at @param {any} [odd] whether null is a hole
 * @returns {number|null}
 */
export function valueAt(grid, values, at, odd) {
  const here = values[at] ?? null;
  if (here !== null || (odd && values[at] === null)) return here;
  let before = at - 1;
  let after = at + 1;
  while (before >= 0 && (values[before] ?? null) === null) before -= 1;
  while (after < values.length && (values[after] ?? null) === null) after += 1;
  const [from, to] = [values[before], values[after]];
  if (from === null || from === undefined || to === null || to === undefined) return null;
  return from + ((grid[at] - grid[before]) / (grid[after] - grid[before])) * (to - from);
}

/**
 * Points of one curve in the tidy form: one row for each.
 * @param {Curves} curves @param {(id: string) => string} name
 * @returns {(string|number|null)[][]} with a row of names first
 */
export function rows(curves, name) {
  /** @type {(string|number|null)[][]} */
  const found = [["run_id", "run", "metric", curves.x === "time" || curves.x === "relative" ? `${curves.x}_ms` : curves.x, ...curves.stats]];
  for (const curve of curves.curves) {
    for (let at = 0; at < curves.n; at += 1) {
      const cells = curves.stats.map((stat) => curve.values[stat][at] ?? curve.odd?.get(at) ?? null);
      if (cells.some((cell) => cell !== null)) found.push([curve.run_id, name(curve.run_id), curve.key, curves.grid[at], ...cells]);
    }
  }
  return found;
}
