// Charts above the table, of the selected runs or of the first ones; and panels in place of it.
import { html, useEffect, useState } from "../../lib/html.js";
import { runColor } from "../../lib/colors.js";
import { count } from "../../lib/format.js";
import { Lazy } from "../../components/lazy.js";
import { names } from "../charts/groups.js";
import { parse } from "./columns.js";
import { useFound } from "./found.js";
import { useGroupedRuns } from "./groupedruns.js";
import { change } from "./state.js";

const charts = () => import("../charts/metriccharts.js");
const paneling = () => import("../../components/extensionpanel.js");
const FEW = 10;

/** Runs to draw, each with its colour. */
function drawn(rows) {
  return rows.map((one) => ({ run_id: one.run_id, name: one.run_name, color: runColor(one.run_id) }));
}

/** @param {{ids: string[], set: any, selection: any, source: any, facets: any, find: import("../../lib/types.js").Find|null, changed: number, query: any, onQuery: (changes: object) => void}} props */
export function Strip({ ids, set, selection, source, facets, find, changed, query, onQuery }) {
  const [open, setOpen] = useState(true);
  const version = source.version.value;
  const chosen = selection.runs.value.size;
  const grouped = useGroupedRuns({ ids, set, source, selected: [...selection.runs.value.keys()], changed });
  const groups = set.group.length ? grouped.data?.groups ?? [] : undefined;
  const runs = groups ? grouped.data?.runs ?? [] : drawn(chosen ? [...selection.runs.value.values()] : source.here().slice(0, FEW));
  const { keys, looking } = useMetrics(facets, find, query);
  const live = groups ? runs.some((run) => run.running) : source.here().some((row) => row.status === "RUNNING");
  const above = set.view === "table,charts";
  return html`<section class=${`strip${above ? " above" : ""}`} aria-label="Charts" data-version=${version}>
    <div class="bar"><button class="plain" aria-expanded=${open} onClick=${() => setOpen(!open)}>${open ? "▾" : "▸"} Charts</button>
      <span class="muted">${groups ? ofGroups(grouped.data, chosen) : chosen ? `of ${count(chosen)} selected ${chosen === 1 ? "run" : "runs"}` : `of the first ${runs.length} runs; select others in the table`}</span>
      <span class="grow"></span>${above && html`<button class="plain" aria-label="Close the charts" onClick=${() => change({ view: null })}>✕</button>`}</div>
    ${open && (runs.length > 0 ? html`<div class="strip-charts"><${Lazy} load=${charts} name="MetricCharts"
      props=${{ runs, groups, keys, looking, further: facets?.more ?? 0, query, onQuery, live, revision: changed, hovered: selection.hovered.value, onHover: (id) => { selection.hovered.value = id; } }} /></div>` : html`<p class="muted">${groups && grouped.error ? grouped.error.message : groups && (grouped.loading || source.loading) ? "Loading…" : "No runs to draw."}</p>`)}
  </section>`;
}

/** The metrics to draw: those that are known, what the search finds among the others, and what the address names. */
function useMetrics(facets, find, query) {
  const words = (query.charts ?? "").trim();
  const found = useFound(find, words && `metrics. ${words}`);
  const keys = found.merge(facets?.keys ?? NONE).filter((one) => one.kind === "metric").map((one) => parse(one.column).key);
  const named = find ? [...names(query.pinned), ...(query.chart ? [query.chart] : [])] : [];
  return { keys: [...new Set([...keys, ...named])], looking: found.waiting };
}

const NONE = [];

/** What the charts of groups are of, and what they leave out. */
function ofGroups(found, chosen) {
  if (!found?.groups.length) return "";
  const many = (n, what) => `${count(n)} ${what}${n === 1 ? "" : "s"}`;
  const left = [found.left ? `${many(found.left, "group")} not drawn` : "", found.more ? `${many(found.more, "run")} left out` : ""].filter(Boolean).join(", ");
  return `mean and min to max of ${many(found.groups.length, "group")}, of ${many(found.runs.length, chosen ? "selected run" : "run")}${left ? `; ${left}` : ""}`;
}

/** A panel of experiments, ours or a plugin's. @param {{panel: import("../../lib/extensions.js").Extension, ids: string[], selection: any, source: any, changed: number, query: any, onQuery: (changes: object) => void}} props */
export function Panel({ panel, ids, selection, source, changed, query, onQuery }) {
  const runs = drawn([...selection.runs.value.values()]);
  const first = source.version.value >= 0 ? drawn(source.here().slice(0, FEW)) : [];
  const select = (picked) => {
    const known = new Map(first.map((run) => [run.run_id, { run_id: run.run_id, run_name: run.name }]));
    selection.set(new Map(picked.map((id) => [id, selection.runs.peek().get(id) ?? known.get(id) ?? { run_id: id, run_name: id.slice(0, 8) }])));
  };
  useEffect(() => {
    // both at once; what is wrong with the module is told when it is mounted
    if (panel.module && !panel.isolate) import(panel.module).catch(() => undefined);
  }, [panel.module]);
  const context = { experiment_id: ids[0], experiment_ids: ids, run_ids: runs.map((run) => run.run_id), runs, first, params: query, revision: changed };
  return html`<${Lazy} load=${paneling} name="ExtensionPanel" props=${{ extension: panel, context, offers: { hovered: selection.hovered, select, setParams: onQuery } }} />`;
}
