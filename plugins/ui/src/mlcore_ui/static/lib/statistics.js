// Numbers behind box and contour plots. Nothing here touches the page.

/** The value below which a share of sorted numbers lies, between neighbours where it falls between. @param {number[]} sorted */
export function quantile(sorted, share) {
  const at = (sorted.length - 1) * share;
  const low = Math.floor(at);
  return sorted[low] + (at - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
}

/**
 * What a box plot shows of numbers; whiskers reach to the last value within 1.5 heights of the box.
 * @param {number[]} values one at least
 */
export function box(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const [q1, median, q3] = [0.25, 0.5, 0.75].map((share) => quantile(sorted, share));
  const reach = 1.5 * (q3 - q1);
  const inside = sorted.filter((value) => value >= q1 - reach && value <= q3 + reach);
  return {
    n: sorted.length, min: sorted[0], max: sorted[sorted.length - 1], q1, median, q3,
    low: Math.min(q1, inside[0]), high: Math.max(q3, inside[inside.length - 1]),
    outliers: sorted.filter((value) => value < q1 - reach || value > q3 + reach),
  };
}

/**
 * Heights over a square from scattered points, each place by its distance to them: exact at the points.
 * @param {{x: number, y: number, z: number}[]} points x, y from 0 to 1
 * @returns {Float64Array} row by row from y = 0, each from x = 0
 */
export function field(points, across, up) {
  const found = new Float64Array(across * up);
  for (let row = 0; row < up; row += 1) {
    for (let column = 0; column < across; column += 1) {
      found[row * across + column] = heightAt(points, column / (across - 1), row / (up - 1));
    }
  }
  return found;
}

function heightAt(points, x, y) {
  let sum = 0;
  let weights = 0;
  for (const point of points) {
    const away = (point.x - x) ** 2 + (point.y - y) ** 2;
    if (away < 1e-9) return point.z;
    const weight = away ** -1.5;
    sum += weight * point.z;
    weights += weight;
  }
  return sum / weights;
}

/**
 * The lines of one height.
 * @param {ArrayLike<number>} heights as of `field` @returns {[number, number, number, number][]} x, y, x, y in cells
 */
export function isolines(heights, across, up, level) {
  const found = [];
  for (let row = 0; row + 1 < up; row += 1) {
    for (let column = 0; column + 1 < across; column += 1) {
      const corners = [[column, row], [column + 1, row], [column + 1, row + 1], [column, row + 1]].map(([x, y]) => [x, y, heights[y * across + x]]);
      const cuts = [];
      for (let at = 0; at < 4; at += 1) {
        const [ax, ay, az] = corners[at];
        const [bx, by, bz] = corners[(at + 1) % 4];
        if (az >= level === bz >= level) continue;
        const share = (level - az) / (bz - az);
        cuts.push([ax + share * (bx - ax), ay + share * (by - ay)]);
      }
      for (let at = 0; at + 1 < cuts.length; at += 2) found.push([...cuts[at], ...cuts[at + 1]]);
    }
  }
  return found;
}
