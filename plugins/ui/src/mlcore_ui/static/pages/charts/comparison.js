// What is known of the runs that are compared.
import { api } from "../../lib/api.js";
import { numeric } from "../../lib/scales.js";

const AT_ONCE = 400;
/** So many columns are fetched; of more, those that vary most, and some of each kind. */
export const MOST = 1200;
const FOUND = 200;
const KINDS = { param: "Params", metric: "Metrics", tag: "Tags", attribute: "Attributes" };
// what names a run tells nothing of why runs differ
const LEFT_OUT = new Set(["attributes.run_id", "attributes.run_name", "attributes.experiment_id", "attributes.lifecycle_stage", "attributes.end_time", "tags.mlflow.runName"]);

/**
 * @typedef {{column: string, kind: string, group: string, label: string, differs: boolean, numeric: boolean, values: any[]}} Column
 *   values: one for each run, in their order; null where it has none
 */

/** The filter that fits exactly these runs. @param {string[]} ids */
export function filterOf(ids) {
  return `attributes.run_id IN (${ids.map((id) => `'${id.replace(/'/g, "''")}'`).join(", ")})`;
}

/** The name in a column, as it is written in the run. @param {string} column */
export function labelOf(column) {
  const name = column.slice(column.indexOf(".") + 1);
  const quote = name[0];
  return (quote === '"' || quote === "`") && name.length > 1 && name.endsWith(quote) ? name.slice(1, -1) : name;
}

/**
 * @param {{ids: string[], experimentIds: string[], search?: string}} asked search: words of the names of columns
 * @returns {Promise<{columns: Column[], names: Map<string, string>, gone: Set<string>, more: number}>} gone: ids of deleted runs. more: how many further names fit
 */
export async function load({ ids, experimentIds, search = "" }) {
  const filter = filterOf(ids);
  const facets = await api.post("api/ui/1/runs:facets", { experiment_ids: experimentIds, filter, view: "ALL", search, limit: search ? FOUND : MOST });
  const kept = facets.keys.filter((key) => !LEFT_OUT.has(key.column));
  const parts = [];
  for (let at = 0; at < kept.length; at += AT_ONCE) parts.push(kept.slice(at, at + AT_ONCE).map((key) => key.column));
  const tables = await Promise.all(parts.map((columns) => api.post("api/ui/1/runs:table",
    { experiment_ids: experimentIds, filter, view: "ALL", columns, limit: 1000 })));
  const columns = kept.map((key, index) => {
    const table = tables[Math.floor(index / AT_ONCE)];
    const at = new Map(table.rows.run_id.map((id, row) => [id, row]));
    const values = ids.map((id) => table.columns[key.column]?.[at.get(id)] ?? null);
    return made(key, values);
  });
  const names = new Map((tables[0]?.rows.run_id ?? []).map((id, row) => [id, tables[0].rows.run_name[row]]));
  const gone = new Set((tables[0]?.rows.run_id ?? []).filter((_, row) => tables[0].rows.lifecycle_stage[row] === "deleted"));
  return { columns, names, gone, more: facets.more ?? 0 };
}

function made(key, values) {
  const first = JSON.stringify(values[0]);
  return {
    column: key.column, kind: key.kind, group: KINDS[key.kind] ?? key.kind, label: labelOf(key.column), values,
    differs: values.some((value) => JSON.stringify(value) !== first),
    numeric: values.some((value) => numeric(value) !== null) && values.every((value) => value === null || numeric(value) !== null || key.kind === "metric"),
  };
}

/** The columns that make plots: those that differ first. @param {Column[]} columns */
export function plotted(columns) {
  const order = { metric: 0, param: 1, attribute: 2, tag: 3 };
  return columns.filter((one) => !(one.kind === "tag" && one.label.startsWith("mlflow.")))
    .sort((a, b) => Number(b.differs) - Number(a.differs) || order[a.kind] - order[b.kind]);
}
