// All experiments: how many runs, what happened last; create, rename, delete, restore.
import { html, useState } from "../lib/html.js";
import { api } from "../lib/api.js";
import { href, navigate, setQuery } from "../lib/url.js";
import { ago, count, time } from "../lib/format.js";
import { plainLine } from "../lib/plain.js";
import { useLoad } from "../lib/load.js";
import { manifest } from "../lib/session.js";
import { useFresh } from "../lib/fresh.js";
import { useKeys } from "../lib/keys.js";
import { Dialog } from "../components/dialog.js";
import { Empty } from "../components/empty.js";
import { ErrorCard } from "../components/errorcard.js";
import { toast } from "../components/toast.js";

const MLFLOW = "ajax-api/2.0/mlflow/experiments";

export default function Experiments({ query }) {
  const [asking, setAsking] = useState(null);
  const deleted = query.view === "deleted";
  const name = query.name ?? "";
  const [more, setMore] = useState({ key: "", pages: [] });
  const key = `${deleted}:${name}`;
  const page = (token, signal) => api.get("api/ui/1/experiments:list", {
    view: deleted ? "DELETED_ONLY" : "ACTIVE_ONLY", max_results: 200, page_token: token,
    filter: name ? `name ILIKE '%${name.replace(/'/g, "''")}%'` : undefined,
  }, signal);
  const { data, error, again } = useLoad(key, (signal) => page(undefined, signal));
  useKeys({ "/": { run: () => /** @type {HTMLElement} */ (document.getElementById("names")).focus(), about: "search by name" } }, "Experiments");
  if (error && !data) return html`<${ErrorCard} error=${error} onAgain=${again} />`;
  const pages = data ? [data, ...(more.key === key ? more.pages : [])] : [];
  const rows = pages.flatMap((one) => one.experiments);
  const token = pages.at(-1)?.next_page_token;
  const listed = rows.map((one) => one.experiment_id).join(",");
  const { data: rights } = useLoad(`may ${listed}`, async (signal) => (listed ? (await api.post("api/ui/1/may", { experiment_ids: listed.split(","), models: [] }, signal)).experiments : {}));
  useFresh(again, Boolean(data) && !rows.length);
  const changed = () => { setMore({ key: "", pages: [] }); again(); };
  return html`
    <div class="bar"><h1>Experiments</h1>
      <input id="names" type="search" placeholder="Part of a name" aria-label="Search by name" value=${name}
        onInput=${(event) => setQuery({ name: event.currentTarget.value }, { replace: true })} />
      <label class="check"><input type="checkbox" checked=${deleted} onChange=${() => setQuery({ view: deleted ? null : "deleted" })} /> deleted</label>
      <span class="grow"></span>
      ${manifest.value && manifest.value.can?.create_experiment !== false && html`<button class="primary" onClick=${() => setAsking({ kind: "create" })}>New experiment</button>`}
    </div>
    ${error && html`<${ErrorCard} error=${error} onAgain=${again} />`}
    ${data && !rows.length && html`<${Empty} title=${name || deleted ? "No experiments match" : "No experiments yet"} />`}
    ${rows.length > 0 && html`<div class="scroll"><table class="plain list"><thead><tr><th>Name</th><th class="right">Runs</th><th>Last activity</th><th>Created</th><th>Description</th><th>Tags</th><th><span class="offscreen">Actions</span></th></tr></thead>
      <tbody>${rows.map((one) => html`<${Row} key=${one.experiment_id} one=${one} deleted=${deleted} rights=${rights?.[one.experiment_id] ?? []} onAsk=${setAsking} onChanged=${changed} />`)}</tbody></table></div>`}
    ${token && html`<p><button onClick=${async () => { const next = await page(token); setMore((old) => ({ key, pages: [...(old.key === key ? old.pages : []), next] })); }}>More</button></p>`}
    ${asking && html`<${Ask} asking=${asking} onClose=${() => setAsking(null)} onChanged=${changed} />`}`;
}

function Row({ one, deleted, rights, onAsk, onChanged }) {
  const tags = Object.entries(one.tags ?? {}).filter(([name]) => !name.startsWith("mlflow.") && !name.startsWith("mlcore."));
  return html`<tr>
    <th scope="row"><a href=${href(`experiments/${one.experiment_id}`)}>${one.name}</a></th>
    <td class="right">${count(one.run_count)}${one.running > 0 && html` <span class="chip live">${count(one.running)} running</span>`}</td>
    <td title=${time(one.last_activity)}>${ago(one.last_activity)}</td><td title=${time(one.creation_time)}>${ago(one.creation_time)}</td>
    <td class="clip" title=${one.description}>${plainLine(one.description)}</td><td>${tags.slice(0, 4).map(([name, value]) => html`<span class="chip">${name}: ${value}</span> `)}</td>
    <td class="actions">${deleted
    ? rights.includes("manage") && html`<button aria-label=${`Restore ${one.name}`} onClick=${() => act("restore", one, onChanged)}>Restore</button>`
    : html`${rights.includes("edit") && html`<button aria-label=${`Rename ${one.name}`} onClick=${() => onAsk({ kind: "rename", one })}>Rename</button>`}
        ${rights.includes("manage") && html`<button aria-label=${`Delete ${one.name}`} onClick=${() => act("delete", one, onChanged)}>Delete</button>`}`}</td></tr>`;
}

async function act(verb, one, onChanged) {
  try {
    await api.post(`${MLFLOW}/${verb}`, { experiment_id: one.experiment_id });
    onChanged();
    const back = verb === "delete" ? "restore" : "delete";
    toast(`${one.name} was ${verb === "delete" ? "deleted" : "restored"}`, { undo: () => act(back, one, onChanged) });
  } catch (error) {
    toast(error.message, { bad: true });
  }
}

function Ask({ asking, onClose, onChanged }) {
  const { kind, one } = asking;
  const [name, setName] = useState(one?.name ?? "");
  const [wrong, setWrong] = useState("");
  const send = async (event) => {
    event.preventDefault();
    try {
      if (kind === "create") {
        const made = await api.post(`${MLFLOW}/create`, { name });
        onClose();
        navigate(`experiments/${made.experiment_id}`);
      } else {
        await api.post(`${MLFLOW}/update`, { experiment_id: one.experiment_id, new_name: name });
        onClose();
        onChanged();
      }
    } catch (error) {
      setWrong(error.message);
    }
  };
  return html`<${Dialog} title=${kind === "create" ? "New experiment" : `Rename ${one.name}`} onClose=${onClose}>
    <form onSubmit=${send}><label>Name<input class="wide" required autofocus value=${name} aria-invalid=${Boolean(wrong)} aria-describedby="wrong"
      onInput=${(event) => { setName(event.currentTarget.value); setWrong(""); }} /></label>
      <p id="wrong" class="wrong" role="alert">${wrong}</p>
      <footer class="actions"><button type="button" onClick=${onClose}>Cancel</button><button class="primary">${kind === "create" ? "Create" : "Rename"}</button></footer>
    </form><//>`;
}
