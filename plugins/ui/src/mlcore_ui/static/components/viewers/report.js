// An HTML report: its scripts run in a sandbox that has no origin, sends nothing and sees nothing but its own folder.
import { html } from "../../lib/html.js";
import { ErrorCard } from "../errorcard.js";
import { Loading, useRaw } from "./use.js";
import { folderOf } from "./place.js";
import { panel } from "../panel.js";

export default panel(Report);

function Report({ files, file }) {
  const { url, error } = useRaw(files, file.path, folderOf(file.path));
  if (error) return html`<${ErrorCard} error=${error} />`;
  if (!url) return html`<${Loading} />`;
  return html`<iframe class="report" key=${url} sandbox="allow-scripts" referrerpolicy="no-referrer" title=${`Report ${file.name}`} src=${url}></iframe>
    <p class="muted">The report runs apart from this page and cannot load anything from the internet. <a href=${url} target="_blank" rel="noopener noreferrer">Open it alone</a></p>`;
}
