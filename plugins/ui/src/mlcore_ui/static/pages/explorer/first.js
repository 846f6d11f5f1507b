// An experiment without runs: how to begin.
import { html } from "../../lib/html.js";
import { start } from "../../lib/start.js";
import { Empty } from "../../components/empty.js";
import { Snippet } from "../../components/copy.js";
import { firstRun } from "../home.js";

/** @param {{deleted: boolean, name?: string}} props */
export default function First({ deleted, name }) {
  if (deleted) return html`<${Empty} title="No deleted runs" note="Runs that are deleted stay here until they are removed for good." />`;
  return html`<${Empty} title="No runs yet" note="Paste this into Python where mlcore is installed; the run shows here at once.">
    <${Snippet} code=${firstRun(location.origin + start.prefix, name)} /><//>`;
}
