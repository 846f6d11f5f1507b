// What stands in place of a table without rows: how to begin, or that nothing fits.
import { html } from "../../lib/html.js";
import { start } from "../../lib/start.js";
import { Empty } from "../../components/empty.js";
import { Snippet } from "../../components/copy.js";
import { firstRun } from "../home.js";
import { change } from "./state.js";

/** @param {{deleted: boolean, name?: string}} props */
export default function First({ deleted, name }) {
  if (deleted) return html`<${Empty} title="No deleted runs" note="Runs that are deleted stay here until they are removed for good." />`;
  return html`<${Empty} title="No runs yet" note="Paste this into Python where mlcore is installed; the run shows here at once.">
    <${Snippet} code=${firstRun(location.origin + start.prefix, name)} /><//>`;
}

/** Nothing fits the filter, or the question was wrong: then what is wrong with it stands below the filter. @param {{known: boolean}} props */
export function NoMatch({ known }) {
  return html`<${Empty} title=${known ? "No run fits the filter" : "No runs can be shown"} note=${known ? "" : "What is wrong is told below the filter."}>
    <button onClick=${() => change({ filter: null, ...(known ? {} : { sort: null }) }, true)}>${known ? "Clear the filter" : "Clear filter and order"}</button><//>`;
}
