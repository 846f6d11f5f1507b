// All registered models: what is newest, what serves, what they are; create, rename, delete.
import { html, useEffect, useState } from "../../lib/html.js";
import { href, navigate, setQuery } from "../../lib/url.js";
import { ago, time } from "../../lib/format.js";
import { useFresh } from "../../lib/fresh.js";
import { useLoad } from "../../lib/load.js";
import { manifest } from "../../lib/session.js";
import { useKeys } from "../../lib/keys.js";
import { start } from "../../lib/start.js";
import { Empty } from "../../components/empty.js";
import { ErrorCard } from "../../components/errorcard.js";
import { Snippet } from "../../components/copy.js";
import { DeleteModel, NameModel } from "./naming.js";
import { AliasChip, StageChip } from "./chips.js";
import { ownTags, quoted, rightsOf, searchModels, versionsOf } from "./registry.js";

const MOST_COUNTED = 2000;

export default function Models({ query }) {
  const [asking, setAsking] = useState(null);
  const [more, setMore] = useState({ key: "", pages: [] });
  const text = query.filter ?? "";
  const load = async (token, signal) => {
    const page = await searchModels(filterOf(text), { token, signal });
    const names = page.models.map((one) => one.name);
    const [counts, allowed] = await Promise.all([counted(names, signal), rightsOf(names, signal)]);
    return { ...page, counts, allowed, key: text };
  };
  const { data, error, again } = useLoad(`models:${text}`, (signal) => load(undefined, signal));
  useFresh(again, Boolean(data) && !data.models.length);
  useKeys({
    "/": { run: () => document.getElementById("filter")?.focus(), about: "search models" },
    "n": { run: () => setAsking({ kind: "create" }), about: "new model" },
  }, "Models");
  useEffect(() => { document.title = "Models · mlcore"; }, []);
  if (error && !data) return html`<h1>Models</h1><${ErrorCard} error=${error} onAgain=${again} />`;
  const pages = data ? [data, ...(more.key === data.key ? more.pages : [])] : [];
  const rows = pages.flatMap((page) => page.models.map((one) => ({ ...one, count: page.counts.get(one.name), allowed: page.allowed.get(one.name) })));
  const token = pages.at(-1)?.token;
  const changed = () => { setMore({ key: "", pages: [] }); again(); };
  const creates = Boolean(manifest.value) && manifest.value.can?.create_model !== false;
  return html`
    <div class="bar"><h1>Models</h1>
      <input id="filter" class="grow" type="search" aria-label="Search models" aria-describedby="filter-note" aria-invalid=${Boolean(error)} value=${text}
        placeholder="part of a name, or: name LIKE 'fraud%' AND tags.team = 'risk'" autocomplete="off" spellcheck=${false}
        onInput=${(event) => setQuery({ filter: event.currentTarget.value }, { replace: true })} />
      ${creates && html`<button class="primary" onClick=${() => setAsking({ kind: "create" })}>New model</button>`}
    </div>
    <p id="filter-note" class=${error ? "wrong" : "offscreen"} role=${error ? "alert" : undefined}>${error ? fault(error, text) : "Part of a name, or a filter in the search language"}</p>
    ${data && !rows.length && (text ? html`<${Empty} title="No model fits" />` : html`<${First} />`)}
    ${rows.length > 0 && html`<div class="scroll"><table class="plain list models"><thead><tr><th>Name</th><th class="right">Versions</th><th>Latest</th><th>Aliases</th><th>Stages</th>
      <th>Changed</th><th>Description</th><th>Tags</th><th><span class="offscreen">Actions</span></th></tr></thead>
      <tbody>${rows.map((one) => html`<${Row} key=${one.name} one=${one} onAsk=${setAsking} />`)}</tbody></table></div>`}
    ${token && html`<p><button onClick=${async () => { const next = await load(token); setMore((old) => ({ key: text, pages: [...(old.key === text ? old.pages : []), next] })); }}>More</button></p>`}
    ${asking?.kind === "create" && html`<${NameModel} onClose=${() => setAsking(null)} onDone=${(name) => navigate(`models/${name}`)} />`}
    ${asking?.kind === "rename" && html`<${NameModel} name=${asking.name} onClose=${() => setAsking(null)} onDone=${changed} />`}
    ${asking?.kind === "delete" && html`<${DeleteModel} name=${asking.name} onClose=${() => setAsking(null)} onDone=${changed} />`}`;
}

function Row({ one, onAsk }) {
  const latest = newest(one);
  const staged = (one.latest_versions ?? []).filter((version) => version.current_stage !== "None" && version.current_stage !== "Archived");
  const tags = Object.entries(ownTags(one.tags));
  return html`<tr>
    <th scope="row"><a href=${href(`models/${one.name}`)}>${one.name}</a></th>
    <td class="right">${one.count ?? 0}</td>
    <td>${latest && html`<a href=${href(`models/${one.name}/${latest.version}`)}>${latest.version}</a> <span class="muted" title=${time(latest.creation_timestamp)}>${ago(latest.creation_timestamp)}</span>`}</td>
    <td>${(one.aliases ?? []).slice(0, 5).map(({ alias, version }) => html`<${AliasChip} name=${one.name} alias=${alias} version=${version} /> `)}</td>
    <td>${staged.map((version) => html`<${StageChip} stage=${version.current_stage} name=${one.name} version=${version.version} /> `)}</td>
    <td title=${time(one.last_updated_timestamp)}>${ago(one.last_updated_timestamp)}</td>
    <td class="clip">${one.description}</td>
    <td>${tags.slice(0, 4).map(([key, value]) => html`<span class="chip">${key}: ${value}</span> `)}</td>
    <td class="actions">${one.allowed?.has("manage") && html`<button aria-label=${`Rename ${one.name}`} onClick=${() => onAsk({ kind: "rename", name: one.name })}>Rename</button>
      <button aria-label=${`Delete ${one.name}`} onClick=${() => onAsk({ kind: "delete", name: one.name })}>Delete</button>`}</td></tr>`;
}

function First() {
  return html`<${Empty} title="No models yet" note="Paste this into Python where mlcore is installed; the model shows here at once.">
    <${Snippet} code=${`import mlcore

mlcore.set_tracking_uri(${JSON.stringify(location.origin + start.prefix)})
with mlcore.start_run():
    mlcore.pyfunc.log_model(
        name="model",
        python_model=lambda model_input: model_input,
        registered_model_name="first-model",
    )
`} /><//>`;
}

/** The filter that a text of the search box means. @param {string} text */
export function filterOf(text) {
  const trimmed = text.trim();
  if (!trimmed) return "";
  // a name has no comparator in it; who looks for one that has writes a filter
  if (/[=<>]|\b(?:I?LIKE|IN|IS)\b/i.test(trimmed)) return trimmed;
  const part = trimmed.includes("'") && trimmed.includes('"') ? trimmed.replace(/'/g, "_") : trimmed;
  return `name ILIKE ${quoted(`%${part}%`)}`;
}

function fault(error, text) {
  if (error.position === undefined || error.position === null) return error.message;
  return `${error.message} (at “${text.slice(error.position, error.position + 20)}”)`;
}

/** How many versions models have: a number, or "2000+" when they are too many to count here. */
async function counted(names, signal) {
  if (!names.length) return new Map();
  const { versions, token } = await versionsOf(names, { most: MOST_COUNTED, signal });
  const counts = new Map();
  for (const { name } of versions) counts.set(name, (counts.get(name) ?? 0) + 1);
  if (token) for (const [name, value] of counts) counts.set(name, `${value}+`);
  return counts;
}

function newest(model) {
  return [...(model.latest_versions ?? [])].sort((a, b) => Number(b.version) - Number(a.version))[0];
}
