// One registered model: what serves, what is asked for, its versions, how it came to be so.
import { html, useEffect, useState } from "../../lib/html.js";
import { href, navigate, route } from "../../lib/url.js";
import { ago, time } from "../../lib/format.js";
import { useLoad } from "../../lib/load.js";
import { useKeys } from "../../lib/keys.js";
import { ErrorCard } from "../../components/errorcard.js";
import { Empty } from "../../components/empty.js";
import { Tabs } from "../../components/tabs.js";
import { Aliases } from "./aliases.js";
import { Versions } from "./versions.js";
import { Compare } from "./compare.js";
import { History } from "./timeline.js";
import { DecidedWishes, OpenWishes } from "./wishes.js";
import { Notes } from "./notes.js";
import { Tags } from "./tags.js";
import { DeleteModel, NameModel, NewVersion } from "./naming.js";
import { DeleteVersion, MoveAlias, MoveStage } from "./asking.js";
import { aliasesOf } from "./asking.js";
import { deleteTag, describeIn, getModel, history, ownTags, remembers, requests, rights, setTag, versionsOf } from "./registry.js";

export async function loadModel(name, signal) {
  const [[model, allowed], found, moves, wishes] = await Promise.all([
    // rights are remembered: those to a model that is yet to come would be none
    getModel(name, signal).then(async (one) => [one, await rights(name)]),
    versionsOf([name], { signal }), history(name, { signal }), requests(name, signal),
  ]);
  return { name, model, ...found, moves, wishes, allowed };
}

export default function ModelPage({ params, query }) {
  const { data, error, again } = useLoad(`model:${params.name}`, (signal) => loadModel(params.name, signal));
  useEffect(() => { document.title = `${params.name} · mlcore`; }, [params.name]);
  if (error && data?.name !== params.name) return html`<${Missing} name=${params.name} error=${error} onAgain=${again} />`;
  if (data?.name !== params.name) return html`<p class="muted">Loading…</p>`;
  return html`<${Shown} ...${data} query=${query} error=${error} again=${again} />`;
}

function Missing({ name, error, onAgain }) {
  if (error.status === 404) return html`<${Empty} title="There is no such model" note=${`${name} was renamed or deleted, or you may not see it.`}><a href=${href("models")}>All models</a><//>`;
  return html`<${ErrorCard} error=${error} onAgain=${onAgain} />`;
}

function Shown({ name, model, versions, token, moves, wishes, allowed, query, error, again }) {
  const [asking, setAsking] = useState(null);
  const close = () => setAsking(null);
  const tab = ["history", "compare"].includes(query.tab) ? query.tab : "versions";
  const go = (id) => navigate(route.value.path, { query: { tab: id === "versions" ? null : id, versions: id === "compare" ? query.versions : null } });
  const [edits, manages] = [allowed.has("edit"), allowed.has("manage")];
  useKeys({ ...(edits && versions.length > 0 && { a: { run: () => setAsking({ kind: "alias" }), about: "set an alias" } }) }, "Model");
  const tabs = [["versions", "Versions"], ...(remembers() ? [["history", "History"]] : []), ["compare", "Compare"]]
    .map(([id, title]) => ({ id, title, href: href(route.value.path, { tab: id === "versions" ? null : id }) }));
  return html`
    <nav class="crumbs" aria-label="Where this is"><a href=${href("models")}>Models</a></nav>
    <div class="bar"><h1>${name}</h1><span class="muted" title=${time(model.creation_timestamp)}>created ${ago(model.creation_timestamp)}</span>
      <span class="muted" title=${time(model.last_updated_timestamp)}>changed ${ago(model.last_updated_timestamp)}</span><span class="grow"></span>
      ${edits && html`<button onClick=${() => setAsking({ kind: "new" })}>New version</button>`}
      ${manages && html`<button onClick=${() => setAsking({ kind: "rename" })}>Rename</button><button onClick=${() => setAsking({ kind: "delete" })}>Delete</button>`}</div>
    ${error && html`<${ErrorCard} error=${error} title="What is shown may be old" onAgain=${again} />`}
    <${OpenWishes} wishes=${wishes} edits=${edits} onChanged=${again} />
    <${Notes} text=${model.description ?? ""} editable=${edits} label="Description" onSave=${(text) => describeIn(name, null, text)} onChanged=${again} />
    <${Tags} tags=${ownTags(model.tags)} editable=${edits} onSet=${(key, value) => setTag(name, null, key, value)} onDelete=${(key) => deleteTag(name, null, key)} onChanged=${again} />
    <${Aliases} model=${model} versions=${versions} complete=${!token} moves=${moves.moves} edits=${edits} onChanged=${again} />
    <${Tabs} tabs=${tabs} current=${tab} onGo=${go} label="Parts of the model" />
    ${tab === "versions" && html`<${Versions} name=${name} aliases=${aliasesOf(model)} first=${{ versions, token }} allowed=${allowed} onAsk=${setAsking} />`}
    ${tab === "history" && html`<${History} name=${name} first=${moves} about=${query.about} aliases=${Object.keys(aliasesOf(model))} /><${DecidedWishes} wishes=${wishes} />`}
    ${tab === "compare" && html`<${Compare} name=${name} versions=${versions} chosen=${query.versions ?? ""} only=${query.all !== "1"} />`}
    ${asking?.kind === "new" && html`<${NewVersion} name=${name} onClose=${close} onDone=${again} />`}
    ${asking?.kind === "rename" && html`<${NameModel} name=${name} onClose=${close} onDone=${(other) => navigate(`models/${other}`, { replace: true })} />`}
    ${asking?.kind === "delete" && html`<${DeleteModel} name=${name} onClose=${close} onDone=${() => navigate("models")} />`}
    ${asking?.kind === "alias" && html`<${MoveAlias} model=${model} versions=${versions} version=${asking.version} onClose=${close} onChanged=${again} />`}
    ${asking?.kind === "stage" && html`<${MoveStage} version=${asking.version} versions=${versions} edits=${edits} onClose=${close} onChanged=${again} />`}
    ${asking?.kind === "drop" && html`<${DeleteVersion} version=${asking.version} onClose=${close} onDone=${again} />`}`;
}
