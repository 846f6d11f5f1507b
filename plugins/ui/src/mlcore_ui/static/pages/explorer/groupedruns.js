// The runs of the groups of the table, for charts: each with the group that it belongs to.
import { api } from "../../lib/api.js";
import { groupColor } from "../../lib/colors.js";
import { useLoad } from "../../lib/load.js";
import { rowsOf } from "./rows.js";

/** As many groups are drawn, and as many runs of them. */
const MOST_GROUPS = 10;
const MOST_RUNS = 1000;
const NOTHING = { runs: [], groups: [], left: 0, more: 0 };

/**
 * The runs of the first groups, or the selected ones, in their groups. Nothing is asked for without groups.
 * @param {{ids: string[], set: any, source: any, selected: string[], changed: number}} wanted
 * @returns {{data: {runs: {run_id: string, name: string, color: string, group: string, running: boolean}[], groups: {id: string, name: string, color: string}[], left: number, more: number}|undefined, error: any, loading: boolean}}
 *   left: groups that are not drawn. more: runs of those drawn that are left out
 */
export function useGroupedRuns({ ids, set, source, selected, changed }) {
  const items = set.group.length ? (source.items ?? []).map((item) => item.group) : [];
  const first = items.filter((group) => group.filter).slice(0, MOST_GROUPS);
  const within = selected.length ? [`attributes.run_id IN (${selected.slice(0, MOST_RUNS).map((id) => `"${id.replaceAll('"', "")}"`).join(", ")})`]
    : [set.filter, first.map((group) => `(${group.filter})`).join(" OR ")].filter(Boolean);
  const filter = within.map((text) => `(${text})`).join(" AND ");
  const wanted = first.length > 0 ? filter : "";
  return useLoad(JSON.stringify(["grouped", ids, set.group, set.stage, wanted, changed]), async (signal) => {
    if (!wanted) return NOTHING;
    const answer = await api.post("api/ui/1/runs:table", { experiment_ids: ids, filter, view: selected.length ? "ALL" : set.stage, columns: set.group, offset: 0, limit: MOST_RUNS }, signal);
    const found = new Map();
    const runs = rowsOf(answer).map((row) => {
      const values = set.group.map((column) => row.columns[column]?.[row.at] ?? null);
      const id = JSON.stringify(values);
      if (!found.has(id)) found.set(id, { id, name: values.map((value) => value ?? "(none)").join(" · "), color: groupColor(id) });
      return { run_id: row.run_id, name: row.run_name, color: found.get(id).color, group: id, running: row.status === "RUNNING" };
    });
    const order = new Map(items.map((group, at) => [JSON.stringify(group.values), at]));
    const groups = [...found.values()].sort((a, b) => (order.get(a.id) ?? Infinity) - (order.get(b.id) ?? Infinity));
    const shown = new Set(groups.slice(0, MOST_GROUPS).map((group) => group.id));
    return {
      groups: groups.slice(0, MOST_GROUPS), runs: runs.filter((run) => shown.has(run.group)), more: Math.max(0, answer.total - runs.length),
      left: Math.max(0, (selected.length ? groups.length : source.groups) - MOST_GROUPS),
    };
  });
}
