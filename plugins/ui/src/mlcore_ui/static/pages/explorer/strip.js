// Charts above the table, and the comparison: of the selected runs, or of the first ones.
import { batch, html, useState } from "../../lib/html.js";
import { api } from "../../lib/api.js";
import { runColor } from "../../lib/colors.js";
import { extensions } from "../../lib/extensions.js";
import { count } from "../../lib/format.js";
import { useLoad } from "../../lib/load.js";
import { Empty } from "../../components/empty.js";
import { Lazy } from "../../components/lazy.js";
import { parse } from "./columns.js";
import { change } from "./state.js";

const charts = () => import("../charts/metriccharts.js");
const compare = () => import("../charts/compare.js");
const paneling = () => import("../../components/extensionpanel.js");
const FEW = 10;

/** The runs to draw, each with its colour. */
function runsOf(selection, source) {
  const chosen = [...selection.runs.value.values()];
  const some = chosen.length ? chosen : source.here().slice(0, FEW);
  return some.map((one) => ({ run_id: one.run_id, name: one.run_name, color: runColor(one.run_id) }));
}

/** Ask for the names of runs that an address gave by their ids alone. */
function useNames(ids, selection) {
  const strange = [...selection.runs.value.values()].filter((one) => one.run_name === one.run_id.slice(0, 8)).map((one) => one.run_id);
  useLoad(`names:${strange.join()}`, async (signal) => {
    if (!strange.length) return;
    const filter = `attributes.run_id IN (${strange.map((id) => `"${id.replaceAll('"', "")}"`).join(", ")})`;
    const { rows } = await api.post("api/ui/1/runs:table", { experiment_ids: ids, filter, view: "ALL", columns: [], limit: 1000 }, signal);
    batch(() => rows.run_id.forEach((id, at) => selection.learn({ run_id: id, run_name: rows.run_name[at], lifecycle_stage: rows.lifecycle_stage[at] })));
  });
}

/** The run that is pointed at is the same in the table. */
function pointing(selection) {
  return { hovered: selection.hovered.value, onHover: (id) => { selection.hovered.value = id; } };
}

/** @param {{ids: string[], set: any, selection: any, source: any, facets: any, changed: number, query: any, onQuery: (changes: object) => void}} props */
export function Strip({ ids, set, selection, source, facets, changed, query, onQuery }) {
  const [open, setOpen] = useState(true);
  useNames(ids, selection);
  const version = source.version.value;
  const runs = runsOf(selection, source);
  const keys = (facets?.keys ?? []).filter((one) => one.kind === "metric").map((one) => parse(one.column).key);
  const live = source.here().some((row) => row.status === "RUNNING");
  const chosen = selection.runs.value.size;
  const above = set.view === "table,charts";
  return html`<section class=${`strip${above ? " above" : ""}`} aria-label="Charts" data-version=${version}>
    <div class="bar"><button class="plain" aria-expanded=${open} onClick=${() => setOpen(!open)}>${open ? "▾" : "▸"} Charts</button>
      <span class="muted">${chosen ? `of ${count(chosen)} selected ${chosen === 1 ? "run" : "runs"}` : `of the first ${runs.length} runs; select others in the table`}</span>
      <span class="grow"></span>${above && html`<button class="plain" aria-label="Close the charts" onClick=${() => change({ view: null })}>✕</button>`}</div>
    ${open && (runs.length > 0 ? html`<div class="strip-charts"><${Lazy} load=${charts} name="MetricCharts"
      props=${{ runs, keys, query, onQuery, live, revision: changed, ...pointing(selection) }} /></div>` : html`<p class="muted">No runs to draw.</p>`)}
  </section>`;
}

/** @param {{ids: string[], selection: any, source: any, changed: number, query: any, onQuery: (changes: object) => void}} props */
export function Comparison({ ids, selection, source, changed, query, onQuery }) {
  const version = source.version.value;
  const runs = runsOf(selection, source);
  if (runs.length < 2) return html`<${Empty} title="Nothing to compare yet" note="Select two runs or more in the table: with their boxes, or with Space." />`;
  const onSelect = (picked) => {
    const known = new Map(runs.map((run) => [run.run_id, { run_id: run.run_id, run_name: run.name }]));
    selection.set(new Map(picked.map((id) => [id, selection.runs.peek().get(id) ?? known.get(id)])));
  };
  return html`<section aria-label="Comparison" data-version=${version}><${Lazy} load=${compare} name="Compare" props=${{ runs, experimentIds: ids, query, onQuery, revision: changed, onSelect, ...pointing(selection) }} />
    ${extensions("compare_panel").map((one) => html`<h2>${one.title}</h2><${Lazy} key=${one.id} load=${paneling} name="ExtensionPanel" props=${{ extension: one, context: { run_ids: runs.map((run) => run.run_id) } }} />`)}</section>`;
}
