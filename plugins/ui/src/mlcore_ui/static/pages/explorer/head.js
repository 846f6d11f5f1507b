// What is said of the experiments themselves: name, notes, tags.
import { html, useState } from "../../lib/html.js";
import { href } from "../../lib/url.js";
import { Lazy } from "../../components/lazy.js";

const NOTE = "mlflow.note.content";
const describing = () => import("./describe.js");

/** @param {{experiments: import("../../lib/types.js").Experiment[], edit: boolean, described: boolean, onChanged: () => void}} props */
export function Head({ experiments, edit, described, onChanged }) {
  const [asking, setAsking] = useState(/** @type {string|null} */ (null));
  if (experiments.length !== 1) {
    return html`<div class="bar"><h1>${experiments.length} experiments</h1>
      ${experiments.map((one) => html`<a class="chip" key=${one.experiment_id} href=${href(`experiments/${one.experiment_id}`)}>${one.name}</a>`)}</div>`;
  }
  const [one] = experiments;
  const tags = Object.fromEntries((one.tags ?? []).map(({ key, value }) => [key, value]));
  const note = tags[NOTE];
  const shown = Object.entries(tags).filter(([key]) => !key.startsWith("mlflow.") && !key.startsWith("mlcore."));
  const props = { kind: asking, one, tags, onClose: () => setAsking(null), onChanged };
  return html`<div class="bar experiment-head"><h1>${one.name}</h1>
      ${one.lifecycle_stage === "deleted" && html`<span class="status failed">deleted</span>`}
      ${shown.slice(0, 8).map(([key, value]) => html`<span class="chip" key=${key} title=${`${key}: ${value}`}>${key}: ${value}</span>`)}
      <span class="grow"></span>
      ${edit && html`<button class="plain" onClick=${() => setAsking("rename")}>Rename</button>
        <button class="plain" onClick=${() => setAsking("note")}>${note ? "Edit the description" : "Describe"}</button>
        <button class="plain" onClick=${() => setAsking("tags")}>Tags</button>`}
    </div>
    ${note && described && html`<${Lazy} load=${describing} name="Note" props=${{ text: note }} />`}
    ${asking && html`<${Lazy} load=${describing} name="Ask" props=${props} />`}`;
}
