// What the explorer asks the server for: rows, pinned runs, names of runs that the address knows by their ids.
import { useEffect, useMemo, useState } from "../../lib/html.js";
import { api } from "../../lib/api.js";
import { count } from "../../lib/format.js";
import { useLoad } from "../../lib/load.js";
import { toast } from "../../components/toast.js";
import { shownAs, usual } from "./columns.js";
import { Windows, rowsOf } from "./rows.js";
import { keepTable } from "../../lib/session.js";

const grouping = () => import("./grouped.js");
const MOST_SELECTED = 1000;
const NONE = [];

/** What the settings of the page ask for; the question waits for the keys where these say which columns there are. @param {string[]} ids @param {import("./state.js").Settings} set */
export function useQuestion(ids, set) {
  const facets = useLoad(`facets:${set.stage}`, (signal) => api.post("api/ui/1/runs:facets", { experiment_ids: ids, filter: "", view: set.stage }, signal));
  const keys = facets.data?.keys ?? NONE;
  const facetOf = useMemo(() => new Map(keys.map((one) => [one.column, one])), [keys]);
  const names = set.cols ?? usual(facets.data);
  const nested = keys.some((one) => one.kind === "tag" && one.column.includes("mlflow.parentRunId"));
  const tree = (set.tree ?? nested) && !set.group.length;
  const ready = set.cols !== null || facets.data || facets.error;
  const question = ready ? {
    experiment_ids: ids, filter: set.filter, order_by: set.sort.map((one) => `${one.column} ${one.descending ? "DESC" : "ASC"}`), view: set.stage,
    columns: [...new Set(names.map((name) => shownAs(name, set.stat)))], tree, collapsed: tree ? set.fold : [], group_by: set.group,
  } : null;
  // asks for keys that are not among these
  const find = facets.data?.more ? (search, signal) => api.post("api/ui/1/runs:facets", { experiment_ids: ids, view: set.stage, search, limit: 200 }, signal) : null;
  return { facets, keys, find, facetOf, names, nested, tree, question };
}

/** Select all runs that fit, or none of them if they are. */
export async function selectAll(source, question, selection) {
  if (selection.runs.peek().size >= Math.min(MOST_SELECTED, source.matching)) { selection.set(new Map()); return; }
  const answer = await api.post("api/ui/1/runs:table", { ...question, columns: [], group_by: [], tree: false, collapsed: [], offset: 0, limit: MOST_SELECTED });
  selection.put(rowsOf(answer), true);
  if (source.matching > MOST_SELECTED) toast(`The first ${count(MOST_SELECTED)} of ${count(source.matching)} runs are selected; more at once are not.`);
}

/** Rows for a question: in windows, or in groups. @param {any} question @param {string[]} open groups */
export function useSource(question, open) {
  const grouped = Boolean(question?.group_by.length);
  const plain = useMemo(() => new Windows(), []);
  const [groups, setGroups] = useState(/** @type {any} */ (null));
  useEffect(() => {
    if (!grouped) { setGroups(null); return undefined; }
    let made = null;
    let wanted = true;
    grouping().then((module) => { if (wanted) { made = new module.Grouped(); setGroups(made); } });
    return () => { wanted = false; made?.close(); };
  }, [grouped]);
  const source = grouped && groups ? groups : plain;
  const key = JSON.stringify(question);
  useEffect(() => source.follow?.(open), [source, open.join()]);
  useEffect(() => { if (question && (!grouped || groups)) { source.ask(question); keepTable(question); } }, [key, source]);
  useEffect(() => () => plain.close(), []);
  return source;
}

/** Learn the names of runs that the address knows by their ids alone. */
export function useNames(selection, ids) {
  const unknown = [...selection.runs.value.values()].filter((one) => !one.lifecycle_stage).map((one) => one.run_id);
  useLoad(`names:${unknown.join()}`, async (signal) => {
    if (!unknown.length) return;
    const answer = await api.post("api/ui/1/runs:table", { experiment_ids: ids, filter: among(unknown), view: "ALL", columns: [], offset: 0, limit: 1000 }, signal);
    selection.learn(rowsOf(answer));
  });
}

/** Runs that stay on top, whatever has become of them. @param {string[]} pin @param {string[]|undefined} columns @param {string[]} ids */
export function usePins(pin, columns, ids) {
  return useLoad(`pin:${JSON.stringify([pin, columns, ids])}`, async (signal) => {
    if (!pin.length || !columns) return [];
    const rows = rowsOf(await api.post("api/ui/1/runs:table", { experiment_ids: ids, filter: among(pin), view: "ALL", columns, offset: 0, limit: 100 }, signal));
    return rows.map((row) => ({ ...row, kept: true }));
  });
}

/** @param {string[]} ids */
function among(ids) {
  return `attributes.run_id IN (${ids.map((id) => `"${id.replaceAll('"', "")}"`).join(", ")})`;
}
