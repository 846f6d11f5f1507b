// Code that works when it is pasted: load the model, serve it.
import { html, useState } from "../../lib/html.js";
import { start } from "../../lib/start.js";
import { useLoad } from "../../lib/load.js";
import { Snippet } from "../../components/copy.js";
import { loadSnippet } from "../../components/viewers/modeluri.js";
import { panel } from "../../components/panel.js";

export default panel(Snippets);

/** @param {{name: string, version: string, aliases: string[], stage: string, files: import("../../components/viewers/files.js").Files}} props of the context */
function Snippets({ name, version, aliases, stage, files }) {
  // a model that cannot be described is loaded all the same
  const { data: told } = useLoad(`example:${name}:${version}`, () => files.model("").catch(() => null));
  const names = [[`models:/${name}/${version}`, `this version`], ...aliases.map((one) => [`models:/${name}@${one}`, `whatever @${one} points to`])];
  if (stage === "Production" || stage === "Staging") names.push([`models:/${name}/${stage}`, `the newest in ${stage}`]);
  const [uri, setUri] = useState(names[0][0]);
  const chosen = names.some(([one]) => one === uri) ? uri : names[0][0];
  const server = location.origin + start.prefix;
  return html`<label>Load <select value=${chosen} onChange=${(event) => setUri(event.currentTarget.value)}>${names.map(([one, about]) => html`<option value=${one}>${one} (${about})</option>`)}</select></label>
    <h3>Load with mlcore</h3><${Snippet} code=${loadSnippet(chosen, "mlcore", told)} label="Copy the code for mlcore" />
    <h3>Load with MLflow</h3><${Snippet} code=${loadSnippet(chosen, "mlflow", told)} label="Copy the code for MLflow" />
    <h3>Serve</h3><${Snippet} code=${serves(server, chosen)} label="Copy the command that serves" />`;
}

export function serves(server, uri) {
  const follows = uri.includes("@") ? " --reload-every 5" : "";
  return `MLCORE_TRACKING_URI=${shell(server)} \\
mlcore models serve -m ${shell(uri)} -p 5001${follows}`;
}

/** A text as one word of a shell. @param {string} text */
export function shell(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replace(/'/g, `'\\''`)}'`;
}
