// Which panels fit a run, ours and those of plugins.
import { extensions, fits } from "../../lib/extensions.js";

const known = new WeakMap();

/**
 * @param {import("./data.js").Run} run
 * @returns {{panel: import("../../lib/extensions.js").Extension, matched: string[], shown: boolean, count: number|undefined}[]} in order.
 *   matched: the columns that a panel is for. count: how many metrics those are
 */
export function panelsOf(run) {
  if (!known.has(run)) known.set(run, fitting(run));
  return known.get(run);
}

function fitting(run) {
  const columns = [...run.metrics.map((one) => `metrics.${one.key}`), ...run.params.map(([key]) => `params.${key}`), ...[...run.tags.keys()].map((key) => `tags.${key}`)];
  return extensions("run_panel").map((panel) => {
    const patterns = panel.match ?? [];
    const matched = columns.filter((column) => patterns.some((one) => fits(one, column)));
    const count = matched.filter((column) => column.startsWith("metrics.")).length;
    return { panel, matched, shown: !patterns.length || matched.length > 0, count: count || undefined };
  });
}
