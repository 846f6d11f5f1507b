// The runs inside of a run.
import { html, useState } from "../../lib/html.js";
import { href } from "../../lib/url.js";
import { ago, duration, number, time } from "../../lib/format.js";
import { runColor } from "../../lib/colors.js";
import { useLoad } from "../../lib/load.js";
import { Empty } from "../../components/empty.js";
import { ErrorCard } from "../../components/errorcard.js";
import { panel } from "../../components/panel.js";
import { Snippet } from "../../components/copy.js";
import { Status } from "../../components/status.js";
import { literal } from "./data.js";

const MOST = 200;
const COLUMNS = 4;

export default panel(Children);

function Children({ run_ids: [run_id], experiment_id, post }) {
  const filter = `tags.mlflow.parentRunId = ${literal(run_id)}`;
  const { data, error, again } = useLoad(`children ${run_id}`, async (signal) => ({ run_id, runs: (await post("ajax-api/2.0/mlflow/runs/search", { experiment_ids: [experiment_id], filter, max_results: MOST, order_by: ["attributes.start_time ASC"] }, signal)).runs ?? [] }));
  const [compared, setCompared] = useState(() => new Set());
  if (error) return html`<${ErrorCard} error=${error} onAgain=${again} />`;
  if (data?.run_id !== run_id) return html`<p class="muted">Loading…</p>`;
  const { runs } = data;
  if (!runs.length) return html`<${Empty} title="No runs inside of this one" note="A run that is started while another one is open, with nested=True, belongs to it."><${Snippet} code=${'with mlcore.start_run():\n    with mlcore.start_run(nested=True):\n        mlcore.log_metric("loss", 0.1)\n'} /><//>`;
  const params = varying(runs, "params");
  const metrics = varying(runs, "metrics");
  const cell = (one, kind, key) => one.data?.[kind]?.find((value) => value.key === key)?.value;
  const toggle = (id) => setCompared((old) => { const next = new Set(old); if (!next.delete(id)) next.add(id); return next; });
  return html`<div class="bar"><span class="muted">${runs.length}${runs.length === MOST ? " or more" : ""} ${runs.length === 1 ? "run" : "runs"}</span>
      <a class="button" href=${href(`experiments/${experiment_id}`, { filter })}>Open them in the table</a>
      ${compared.size > 1 && html`<a class="button" href=${href(`experiments/${experiment_id}`, { view: "compare", runs: [...compared].join(",") })}>Compare ${compared.size}</a>`}</div>
    <div class="scroll"><table class="plain dense"><thead><tr><th><span class="offscreen">Compare</span></th><th>Run</th><th>Status</th><th>Started</th><th class="right">Took</th>${metrics.map((key) => html`<th class="right">${key}</th>`)}${params.map((key) => html`<th>${key}</th>`)}</tr></thead>
    <tbody>${runs.map((one) => html`<tr key=${one.info.run_id}><td><input type="checkbox" aria-label=${`Compare ${one.info.run_name || one.info.run_id}`} checked=${compared.has(one.info.run_id)} onChange=${() => toggle(one.info.run_id)} /></td>
      <th scope="row"><span class="dot" style=${{ background: runColor(one.info.run_id) }} aria-hidden="true"></span> <a href=${href(`runs/${one.info.run_id}`)}>${one.info.run_name || one.info.run_id}</a></th>
      <td><${Status} status=${one.data?.tags?.some((tag) => tag.key === "mlcore.lost" && tag.value) ? "LOST" : one.info.status} /></td><td title=${time(one.info.start_time)}>${ago(one.info.start_time)}</td>
      <td class="right">${one.info.end_time && one.info.start_time ? duration(one.info.end_time - one.info.start_time) : ""}</td>
      ${metrics.map((key) => html`<td class="right">${number(cell(one, "metrics", key))}</td>`)}${params.map((key) => html`<td class="clip">${cell(one, "params", key) ?? ""}</td>`)}</tr>`)}</tbody></table></div>`;
}

/** The keys that tell runs apart, those that vary first. */
function varying(runs, kind) {
  const values = new Map();
  for (const one of runs) for (const { key, value } of one.data?.[kind] ?? []) values.set(key, (values.get(key) ?? new Set()).add(String(value)));
  return [...values].filter(([key]) => !key.startsWith("system/")).sort((a, b) => Number(b[1].size > 1) - Number(a[1].size > 1) || (a[0] < b[0] ? -1 : 1)).slice(0, COLUMNS).map(([key]) => key);
}
