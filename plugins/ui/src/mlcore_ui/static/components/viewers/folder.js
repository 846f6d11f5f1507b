// What is in a folder.
import { html, useState } from "../../lib/html.js";
import { bytes, count } from "../../lib/format.js";
import { panel } from "../panel.js";
import { seriesIn } from "./series.js";
import { useRaw } from "./use.js";

const MOST_SERIES = 24;

export default panel(Folder);

function Folder({ files, file }) {
  const inside = file.inside ?? [];
  const size = inside.reduce((sum, one) => sum + (one.size_bytes ?? 0), 0);
  const series = seriesIn(inside);
  return html`${series.length > 0 && html`<div class="series">${series.slice(0, MOST_SERIES).map((one) => html`<${Series} key=${`${file.path} ${one.key}`} files=${files} series=${one} />`)}</div>
    ${series.length > MOST_SERIES && html`<p class="muted">${count(series.length - MOST_SERIES)} more series are in the list.</p>`}`}
    <p class="muted">${count(inside.length)}${file.more ? " and more" : ""} in this folder${size ? `, ${bytes(size)} in its files` : ""}</p>
    <div class="scroll"><table class="plain"><thead><tr><th>Name</th><th>Kind</th><th class="right">Size</th><th><span class="offscreen">Actions</span></th></tr></thead>
    <tbody>${inside.slice(0, 1000).map((one) => html`<tr key=${one.path}><th scope="row"><a href=${files.href(one.path)}>${one.name}${one.is_dir ? "/" : ""}</a></th>
      <td>${one.is_dir ? "folder" : one.mime}</td><td class="right">${bytes(one.size_bytes)}</td>
      <td class="actions">${!one.is_dir && html`<a href=${files.download(one.path)} download=${one.name} aria-label=${`Download ${one.name}`}>Download</a>`}</td></tr>`)}</tbody></table></div>`;
}

/** Images that are one thing through steps: the last one at first, and a slider to the others. */
function Series({ files, series: { key, images } }) {
  const [chosen, setChosen] = useState(/** @type {number|null} */ (null));
  const at = Math.min(chosen ?? images.length - 1, images.length - 1);
  const { path, name, step } = images[at];
  const { url, renew } = useRaw(files, path);
  return html`<figure class="card"><figcaption><strong>${key}</strong> <span class="muted">step ${step}, ${at + 1} of ${images.length}</span></figcaption>
    <a href=${files.href(path)}>${url && html`<img src=${url} alt=${name} loading="lazy" onError=${() => renew()} />`}</a>
    <input type="range" min="0" max=${images.length - 1} value=${at} aria-label=${`Step of ${key}`} aria-valuetext=${`step ${step}`} onInput=${(event) => setChosen(Number(event.currentTarget.value))} /></figure>`;
}
