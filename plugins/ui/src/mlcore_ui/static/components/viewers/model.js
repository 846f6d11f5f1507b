// A model's folder: what it says of itself, how to load it, and the way into the registry. Nothing of it is run.
import { html, useState } from "../../lib/html.js";
import { bytes, count } from "../../lib/format.js";
import { useLoad } from "../../lib/load.js";
import { Snippet } from "../copy.js";
import { ErrorCard } from "../errorcard.js";
import { Branch } from "./json.js";
import { Loading } from "./use.js";
import { modelUri, loadSnippet } from "./modeluri.js";
import { Register } from "./register.js";
import { panel } from "../panel.js";

export default panel(Model);

function Model({ files, file, ...context }) {
  const key = `${files.key}\n${file.path}`;
  const { data, error, again } = useLoad(key, async (signal) => ({ key, ...await files.model(file.path, signal) }));
  const [asking, setAsking] = useState(false);
  if (error) return html`<${ErrorCard} error=${error} title="The model cannot be described" onAgain=${again} />`;
  if (data?.key !== key) return html`<${Loading} />`;
  const mayRegister = !context.name && context.can.create_model;
  return html`<div class="bar"><h2>Model${file.path ? ` “${file.path}”` : ""}</h2><span class="grow"></span>
      ${mayRegister && html`<button class="primary" onClick=${() => setAsking(true)}>Register</button>`}</div>
    <${Described} model=${data} href=${context.href} />
    <h3>Use it</h3><${Use} uri=${modelUri(context, file.path)} told=${data} />
    ${asking && html`<${Register} context=${context} path=${file.path} onClose=${() => setAsking(false)} />`}`;
}

/** Code that loads a model, for mlcore and for MLflow. @param {{uri: string, told?: any}} props */
export function Use({ uri, told }) {
  const [of, setOf] = useState("mlcore");
  return html`<div class="choice" role="group" aria-label="Library">${["mlcore", "mlflow"].map((name) => html`<button aria-pressed=${of === name} onClick=${() => setOf(name)}>${name === "mlflow" ? "MLflow" : name}</button>`)}</div>
    <${Snippet} code=${loadSnippet(uri, of, told)} label=${`Copy the code for ${of}`} />`;
}

/** What models:describe told. @param {{model: any, href: (path: string) => string}} props */
function Described({ model, href }) {
  const facts = [
    ["Flavors", model.flavors.map((one) => one.name).join(", ")],
    ["Made", model.created], ["Python", model.python_version],
    ["Size", model.size_bytes === null ? "" : `${bytes(model.size_bytes)} in ${count(model.files)} ${model.files === 1 ? "file" : "files"}`],
    ["Loader", model.loader],
    ["Checksums", model.manifest ? (model.signed ? "listed and signed" : "listed") : "not listed"],
  ];
  return html`${model.problems.length > 0 && html`<section class="card bad"><h3>Something is wrong with its files</h3><ul>${model.problems.map((one) => html`<li>${one}</li>`)}</ul></section>`}
    <dl class="facts">${facts.filter(([, value]) => value).map(([name, value]) => html`<div><dt>${name}</dt><dd>${String(value)}</dd></div>`)}
      ${model.run_id && html`<div><dt>Run</dt><dd><a href=${href(`runs/${model.run_id}`)}>${model.run_id}</a></dd></div>`}</dl>
    ${model.signature ? html`<h3>Signature</h3><${Signature} signature=${model.signature} />` : html`<p class="muted">The model tells no signature: what it takes and gives is not checked.</p>`}
    ${model.input_example && html`<details><summary>Input example</summary><pre class="block" tabindex="0">${model.input_example.slice(0, 20000)}</pre></details>`}
    ${model.requirements.length > 0 && html`<details><summary>Requirements (${model.requirements.length})</summary><pre class="block" tabindex="0">${model.requirements.join("\n")}</pre></details>`}
    ${model.flavors.map((one) => html`<details key=${one.name}><summary>Flavor ${one.name}</summary><div class="json"><${Branch} name="" value=${one.config} open=${true} depth=${0} /></div></details>`)}
    ${model.metadata && html`<details><summary>Metadata</summary><div class="json"><${Branch} name="" value=${model.metadata} open=${true} depth=${0} /></div></details>`}`;
}

/** Inputs, outputs and params. @param {{signature: any}} props */
export function Signature({ signature }) {
  const parts = [["Inputs", signature.inputs], ["Outputs", signature.outputs], ["Params", signature.params]].filter(([, part]) => Array.isArray(part) ? part.length : part);
  return html`<div class="signature">${parts.map(([title, part]) => html`<section key=${title}><h4>${title}</h4>
    <table class="plain dense"><tbody>${(Array.isArray(part) ? part : [part]).slice(0, 500).map((one, at) => html`<tr key=${at}><th scope="row">${one?.name ?? (one?.type === "tensor" ? "tensor" : at)}</th>
      <td><code>${typeText(one)}</code></td><td class="muted">${one?.required === false ? "optional" : one?.default !== undefined && one.default !== null ? `default ${JSON.stringify(one.default)}` : ""}</td></tr>`)}</tbody></table></section>`)}</div>`;
}

function typeText(one) {
  const told = one?.["tensor-spec"] ?? one?.tensor;
  if (told && typeof told === "object") return `${told.dtype} (${(told.shape ?? []).join(", ")})`;
  if (one && ["array", "object", "map"].includes(one.type)) return JSON.stringify(one.items ?? one.properties ?? one.values ?? one.type).replace(/"/g, "").slice(0, 300);
  return typeof one === "object" ? String(one?.type ?? JSON.stringify(one)) : String(one);
}
