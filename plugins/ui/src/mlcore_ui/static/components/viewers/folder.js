// What is in a folder.
import { html } from "../../lib/html.js";
import { bytes, count } from "../../lib/format.js";
import { panel } from "../panel.js";

export default panel(Folder);

function Folder({ files, file }) {
  const inside = file.inside ?? [];
  const size = inside.reduce((sum, one) => sum + (one.size_bytes ?? 0), 0);
  return html`<p class="muted">${count(inside.length)}${file.more ? " and more" : ""} in this folder${size ? `, ${bytes(size)} in its files` : ""}</p>
    <div class="scroll"><table class="plain"><thead><tr><th>Name</th><th>Kind</th><th class="right">Size</th><th><span class="offscreen">Actions</span></th></tr></thead>
    <tbody>${inside.slice(0, 1000).map((one) => html`<tr key=${one.path}><th scope="row"><a href=${files.href(one.path)}>${one.name}${one.is_dir ? "/" : ""}</a></th>
      <td>${one.is_dir ? "folder" : one.mime}</td><td class="right">${bytes(one.size_bytes)}</td>
      <td class="actions">${!one.is_dir && html`<a href=${files.download(one.path)} download=${one.name} aria-label=${`Download ${one.name}`}>Download</a>`}</td></tr>`)}</tbody></table></div>`;
}
