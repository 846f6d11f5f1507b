// A document in the browser's own viewer, which does not start in a sandbox and runs nothing of the file.
import { html } from "../../lib/html.js";
import { ErrorCard } from "../errorcard.js";
import { Loading, useRaw } from "./use.js";
import { panel } from "../panel.js";

export default panel(Pdf);

function Pdf({ files, file }) {
  const { url, error } = useRaw(files, file.path);
  if (error) return html`<${ErrorCard} error=${error} />`;
  if (!url) return html`<${Loading} />`;
  return html`<iframe class="report" key=${url} title=${`Document ${file.name}`} referrerpolicy="no-referrer" src=${url}></iframe>
    <p><a href=${url} target="_blank" rel="noopener noreferrer">Open it alone</a></p>`;
}
