// What a run was given and what came out of it, on one page.
import { html } from "../../lib/html.js";
import { Metrics } from "./metrics.js";
import { Params } from "./params.js";
import { Tags } from "./tags.js";
import { Notes } from "./notes.js";
import { Datasets, Models, Versions } from "./links.js";
import { Snippets } from "./snippets.js";

/** @param {{run: import("./data.js").Run, mayEdit: boolean, onChanged: () => void}} props */
export function Overview({ run, mayEdit, onChanged }) {
  return html`<div class="run-overview">
    <div><${Notes} run=${run} mayEdit=${mayEdit} onChanged=${onChanged} /><${Metrics} run=${run} /><${Datasets} run=${run} /><${Models} run=${run} /><${Versions} run=${run} /></div>
    <div><${Params} run=${run} /><${Tags} run=${run} mayEdit=${mayEdit} onChanged=${onChanged} /><${Snippets} run=${run} /></div>
  </div>`;
}
