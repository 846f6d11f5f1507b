// What a run is tied to: datasets that it read, models that it made, versions that were registered from it.
import { html } from "../../lib/html.js";
import { api } from "../../lib/api.js";
import { href } from "../../lib/url.js";
import { ago, number, time } from "../../lib/format.js";
import { useLoad } from "../../lib/load.js";
import { literal } from "./data.js";

/** @param {{run: import("./data.js").Run}} props */
export function Datasets({ run }) {
  if (!run.datasets.length) return null;
  return html`<section class="part" aria-labelledby="datasets"><h2 id="datasets">Datasets <span class="count">${run.datasets.length}</span></h2>
    <table class="plain dense"><thead><tr><th>Name</th><th>Used for</th><th>Digest</th><th>Source</th></tr></thead><tbody>${run.datasets.map(({ dataset, tags }, at) => html`<tr key=${at}>
      <th scope="row">${dataset.name}${dataset.profile && html`<div class="muted">${profile(dataset.profile)}</div>`}</th>
      <td>${(tags ?? []).find((one) => one.key === "mlflow.data.context")?.value ?? ""}</td><td><code>${dataset.digest}</code></td>
      <td><details><summary>${dataset.source_type}</summary><pre class="block" tabindex="0">${pretty(dataset.source)}${dataset.schema ? `\n${pretty(dataset.schema)}` : ""}</pre></details></td></tr>`)}</tbody></table></section>`;
}

function pretty(text) {
  try { return JSON.stringify(JSON.parse(text), null, 2).slice(0, 20000); } catch { return text.slice(0, 20000); }
}

function profile(text) {
  try {
    return Object.entries(JSON.parse(text)).slice(0, 4).map(([name, value]) => `${name.replace(/_/g, " ")}: ${typeof value === "number" ? number(value, 9) : JSON.stringify(value)}`).join(", ");
  } catch {
    return "";
  }
}

/** @param {{run: import("./data.js").Run}} props */
export function Models({ run }) {
  if (!run.models.length) return null;
  return html`<section class="part" aria-labelledby="models"><h2 id="models">Logged models <span class="count">${run.models.length}</span></h2>
    <ul class="plain">${run.models.map((one) => html`<li key=${one.model_id}><a href=${href(`runs/${run.info.run_id}/artifacts`, { model: one.model_id })}>${one.model_id}</a>${one.step ? html` <span class="muted">at step ${one.step}</span>` : ""}</li>`)}</ul></section>`;
}

/** @param {{run: import("./data.js").Run}} props */
export function Versions({ run }) {
  const { run_id } = run.info;
  const { data } = useLoad(`versions ${run_id}`, async (signal) => ({ run_id, found: (await api.get("ajax-api/2.0/mlflow/model-versions/search", { filter: `run_id = ${literal(run_id)}`, max_results: 100 }, signal)).model_versions ?? [] }));
  if (data?.run_id !== run_id || !data.found.length) return null;
  return html`<section class="part" aria-labelledby="versions"><h2 id="versions">Registered as</h2>
    <ul class="plain">${data.found.map((one) => html`<li key=${`${one.name} ${one.version}`}><a href=${href(`models/${one.name}/${one.version}`)}>${one.name} version ${one.version}</a>
      ${one.current_stage && one.current_stage !== "None" && html` <span class="chip">${one.current_stage}</span>`}${(one.aliases ?? []).map((alias) => html` <span class="chip">@${alias}</span>`)}
      <span class="muted" title=${time(Number(one.creation_timestamp))}> ${ago(Number(one.creation_timestamp))}</span></li>`)}</ul></section>`;
}
