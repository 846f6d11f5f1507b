// Smoothing of curves. Nothing here touches the page.

// a weight says how much is kept over one 250th of the chart's width, so that curves that were recorded more or less
// often, or put together in other buckets, look the same
const PARTS = 250;
const MOST = 0.999;

/**
 * The exponential moving average, weighted by the distance between points and without the bias towards the first ones.
 * @param {ArrayLike<number>} grid positions, ascending
 * @param {(number|null|undefined)[]} values null or undefined: no point there, then the same comes out
 * @param {number} weight 0 (the values themselves) up to 1 (all values so far alike)
 * @param {number} [span] the width of the whole chart in the grid's unit; the grid's own when not given
 * @returns {(number|null|undefined)[]}
 */
export function smooth(grid, values, weight, span = grid.length ? grid[grid.length - 1] - grid[0] : 0) {
  if (!(weight > 0) || !(span > 0)) return values;
  // the root spreads the useful weights over the slider
  const kept = Math.min(Math.sqrt(weight), MOST);
  const found = new Array(values.length);
  let sum = 0;
  let weights = 0;
  let before = NaN;
  for (let at = 0; at < values.length; at += 1) {
    const value = values[at];
    if (value === null || value === undefined) { found[at] = value; continue; }
    const decay = Number.isNaN(before) ? 0 : kept ** (((grid[at] - before) / span) * PARTS);
    sum = sum * decay + value;
    weights = weights * decay + 1;
    before = grid[at];
    found[at] = sum / weights;
  }
  return found;
}
