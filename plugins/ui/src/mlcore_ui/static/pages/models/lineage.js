// From where a version comes, and what it serves as: experiment, run, version, names.
import { html } from "../../lib/html.js";
import { href } from "../../lib/url.js";
import { short } from "../../lib/format.js";
import { useLoad } from "../../lib/load.js";
import { seenExperiment } from "../../lib/experiments.js";
import { Status } from "../../components/status.js";
import { AliasChip, StageChip } from "./chips.js";

/** @param {{version: any, run: any, logged?: string}} props run: null while it is not known, {missing} when it cannot be seen */
export function Lineage({ version, run, logged }) {
  const info = run?.info;
  const aliases = version.aliases ?? [];
  const { data } = useLoad(`experiment:${info?.experiment_id ?? ""}`, async (signal) => (info ? seenExperiment(info.experiment_id, signal) : null));
  return html`<ol class="lineage" aria-label="Lineage">
    ${info && html`<li><span class="kind">experiment</span><a href=${href(`experiments/${info.experiment_id}`)}>${data?.name ?? info.experiment_id}</a></li>`}
    ${version.run_id ? html`<li><span class="kind">run</span><a href=${href(`runs/${version.run_id}`)}>${info?.run_name || short(version.run_id, 14)}</a>
        ${info && html` <${Status} status=${info.status} />`}${run?.missing && html`<span class="muted">${run.missing}</span>`}</li>`
    : html`<li><span class="kind">run</span><span class="muted">none is named</span></li>`}
    ${logged && html`<li><span class="kind">logged model</span><code>${logged}</code></li>`}
    <li><span class="kind">version</span><strong>${version.name} ${version.version}</strong></li>
    <li><span class="kind">serves as</span>${!aliases.length && version.current_stage === "None" && html`<span class="muted">nothing yet</span>`}
      ${aliases.map((alias) => html`<${AliasChip} name=${version.name} alias=${alias} /> `)}
      ${version.current_stage !== "None" && html`<${StageChip} stage=${version.current_stage} />`}</li>
  </ol>`;
}
