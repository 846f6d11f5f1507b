// Curves that go on: what is new is put behind what is there. Nothing here touches the page.

/** So many times what is new is asked for alone; then all, as points may have been recorded late, before others. */
const MOST_TIMES = 10;
// a grid may become so much longer than it was asked for, before it is cut anew
const LONGER = 2;

/**
 * Where each run ends; undefined when everything has to be asked for.
 * @param {any} curves what is known @param {string} x @param {number} buckets as many places as are wanted
 * @returns {Record<string, number>|undefined}
 */
export function ends(curves, x, buckets) {
  if (!curves?.curves.length || x.startsWith("metrics.") || (curves.times ?? 0) >= MOST_TIMES || curves.n >= LONGER * buckets) return undefined;
  return Object.fromEntries(curves.curves.map((curve) => [curve.run_id, curve.last_x]));
}

/**
 * Curves with what is new of them; the same object when nothing is. undefined: it does not fit, ask for everything.
 * @param {any} old @param {any} fresh of the same metric and statistics, after the ends of *old* @param {string[]} ids
 */
export function joined(old, fresh, ids) {
  if (!fresh.curves.length) return old;
  if (!fresh.exact) return undefined;
  const grid = Float64Array.from(new Set([...old.grid, ...fresh.grid])).sort();
  const at = new Map(Array.from(grid, (place, index) => [place, index]));
  const parts = [old, fresh].map(({ grid: own }) => Array.from(own, (place) => at.get(place)));
  const both = [old, fresh].map(({ curves }) => new Map(curves.map((curve) => [curve.run_id, curve])));
  const curves = ids.filter((id) => both.some((known) => known.has(id))).map((id) => {
    const some = both.map((known, index) => ({ curve: known.get(id), to: parts[index] })).filter(({ curve }) => curve);
    const [first, last] = [some[0].curve, some[some.length - 1].curve];
    const odd = new Map(some.flatMap(({ curve, to }) => [...curve.odd ?? []].map(([index, text]) => /** @type {[any, any]} */ ([to[index], text]))));
    return {
      ...last, first_x: first.first_x, count: some.reduce((sum, { curve }) => sum + curve.count, 0), odd: odd.size ? odd : undefined,
      values: Object.fromEntries(old.stats.map((stat) => [stat, column(grid.length, stat, some)])),
    };
  });
  return { ...old, n: grid.length, grid, curves, times: (old.times ?? 0) + 1 };
}

function column(n, stat, some) {
  const values = new Array(n).fill(null);
  for (const { curve, to } of some) curve.values[stat].forEach((value, index) => { if (value !== null) values[to[index]] = value; });
  return values;
}
