// YAML as a tree. The server reads it, by a loader that knows plain values alone; what cannot be read is shown as text.
import { html } from "../../lib/html.js";
import { useLoad } from "../../lib/load.js";
import { ErrorCard } from "../errorcard.js";
import { Branch } from "./json.js";
import { Text } from "./text.js";
import { Loading } from "./use.js";
import { panel } from "../panel.js";

export default panel(Yaml);

function Yaml({ files, file }) {
  const key = `${files.key}\n${file.path}\n${file.size_bytes}`;
  const { data, error, again } = useLoad(key, async (signal) => {
    return file.size_bytes === 0 ? { key } : { key, ...await files.data(file.path, signal) };
  });
  if (error) return html`<${ErrorCard} error=${error} onAgain=${again} />`;
  if (data?.key !== key) return html`<${Loading} />`;
  if (data.problem || file.size_bytes === 0) return html`${data.problem && html`<p class="muted">No tree: ${data.problem}. This is its text.</p>`}<${Text} files=${files} file=${file} />`;
  return html`${data.truncated && html`<p class="muted">Not everything is shown: the file has more than fits in a tree.</p>`}
    <div class="json" role="region" aria-label=${`Content of ${file.name}`}><${Branch} name="" value=${data.value} open=${true} depth=${0} /></div>`;
}
