// One version: what it is, where it comes from, what it needs, how it is used.
import { html, useEffect, useMemo, useState } from "../../lib/html.js";
import { href, navigate, route } from "../../lib/url.js";
import { ago, bytes, count, number, time } from "../../lib/format.js";
import { extensions } from "../../lib/extensions.js";
import { useLoad } from "../../lib/load.js";
import { useKeys } from "../../lib/keys.js";
import { ErrorCard } from "../../components/errorcard.js";
import { Lazy } from "../../components/lazy.js";
import { Empty } from "../../components/empty.js";
import { Tabs } from "../../components/tabs.js";
import { CopyButton } from "../../components/copy.js";
import { StageChip } from "./chips.js";
import { Lineage } from "./lineage.js";
import { Notes } from "./notes.js";
import { Tags } from "./tags.js";
import { Signature } from "./signature.js";
import { Timeline, concerns } from "./timeline.js";
import { OpenWishes } from "./wishes.js";
import { DeleteVersion, DropAlias, MoveAlias, MoveStage } from "./asking.js";
import { deleteTag, describe, describeIn, getRun, getVersion, ownTags, remembers, setTag } from "./registry.js";
import { loadModel } from "./model.js";

export default function VersionPage({ params, query }) {
  const { name, version: number_ } = params;
  const key = `version:${name}:${number_}`;
  const { data, error, again } = useLoad(key, async (signal) => {
    const [version, whole] = await Promise.all([getVersion(name, number_, signal), loadModel(name, signal)]);
    return { key, version, whole };
  });
  useEffect(() => { document.title = `${name} ${number_} · mlcore`; }, [key]);
  if (error && data?.key !== key) {
    if (error.status === 404) return html`<${Empty} title="There is no such version" note=${`Version ${number_} of ${name} was deleted, or you may not see it.`}><a href=${href(`models/${name}`)}>The model</a><//>`;
    return html`<${ErrorCard} error=${error} onAgain=${again} />`;
  }
  if (data?.key !== key) return html`<p class="muted">Loading…</p>`;
  return html`<${Shown} key=${key} version=${data.version} whole=${data.whole} query=${query} error=${error} again=${again} />`;
}

const OWN = [{ id: "about", title: "About", order: 0 }, { id: "history", title: "History", order: 30 }];
const TABS = [...OWN, ...extensions("model_panel")].sort((a, b) => a.order - b.order);
const paneling = () => import("./versionpanel.js");

function Shown({ version: one, whole, query, error, again }) {
  const { model, versions, moves, wishes, allowed } = whole;
  const [asking, setAsking] = useState(null);
  const close = () => setAsking(null);
  const [edits, manages] = [allowed.has("edit"), allowed.has("manage")];
  const described = useMemo(() => once(() => describe(one.name, one.version)), []);
  const own = useLoad(`described:${one.name}:${one.version}`, described);
  const run = useLoad(`run:${one.run_id}`, (signal) => (one.run_id ? getRun(one.run_id, signal) : Promise.resolve(null)));
  const shownTabs = TABS.filter(({ id }) => id !== "history" || remembers());
  const tab = shownTabs.some(({ id }) => id === query.tab) ? query.tab : "about";
  const panel = extensions("model_panel").find(({ id }) => id === tab);
  const at = (id) => ({ tab: id === "about" ? null : id });
  const asksStage = edits || (allowed.has("read") && remembers());
  useKeys({
    ...(asksStage && { s: { run: () => setAsking({ kind: "stage" }), about: edits ? "move to a stage" : "ask for a stage" } }),
    ...(edits && { a: { run: () => setAsking({ kind: "alias" }), about: "set an alias" } }),
  }, "Version");
  return html`
    <nav class="crumbs" aria-label="Where this is"><a href=${href("models")}>Models</a> / <a href=${href(`models/${one.name}`)}>${one.name}</a></nav>
    <div class="bar"><h1>Version ${one.version}</h1><${StageChip} stage=${one.current_stage} />
      ${one.status !== "READY" && html`<span class="status failed">${String(one.status).toLowerCase()} ${one.status_message}</span>`}
      <span class="muted" title=${time(one.creation_timestamp)}>created ${ago(one.creation_timestamp)}${one.user_id && ` by ${one.user_id}`}</span><span class="grow"></span>
      ${asksStage && html`<button class=${edits ? "primary" : ""} onClick=${() => setAsking({ kind: "stage" })}>${edits ? "Move to a stage" : "Ask for a stage"}</button>`}
      ${edits && html`<button onClick=${() => setAsking({ kind: "alias" })}>Set an alias</button>`}
      ${manages && html`<button onClick=${() => setAsking({ kind: "delete" })}>Delete</button>`}</div>
    ${error && html`<${ErrorCard} error=${error} title="What is shown may be old" onAgain=${again} />`}
    <${OpenWishes} wishes=${wishes.filter((wish) => wish.version === one.version)} edits=${edits} onChanged=${again} />
    ${edits && (one.aliases ?? []).length > 0 && html`<ul class="tag-list" aria-label="Aliases">${one.aliases.map((alias) => html`<li key=${alias} class="tag"><span class="tag-text">@${alias}</span>
      <button class="plain" aria-label=${`Remove the alias ${alias}`} onClick=${() => setAsking({ kind: "drop", alias })}>✕</button></li>`)}</ul>`}
    <${Notes} text=${one.description ?? ""} editable=${edits} label="Description" onSave=${(text) => describeIn(one.name, one.version, text)} onChanged=${again} />
    <${Tags} tags=${ownTags(one.tags)} editable=${edits} onSet=${(key, value) => setTag(one.name, one.version, key, value)} onDelete=${(key) => deleteTag(one.name, one.version, key)} onChanged=${again} />
    <${Lineage} version=${one} run=${run.data ?? (run.error ? { missing: run.error.message } : null)} logged=${own.data?.model_id} />
    <${Tabs} tabs=${shownTabs.map(({ id, title }) => ({ id, title, href: href(route.value.path, at(id)) }))} current=${tab} onGo=${(id) => navigate(route.value.path, { query: at(id) })} label="Parts of the version" />
    ${tab === "about" && html`<${About} one=${one} run=${run.data} own=${own} />`}
    ${tab === "history" && html`<${Timeline} moves=${moves.moves.filter((move) => concerns(move, one.version))} />`}
    ${panel && (run.data !== undefined || run.error) && html`<${Lazy} key=${tab} load=${paneling} name="VersionPanel" props=${{ extension: panel, one, run: run.data, may: [...allowed], described }} />`}
    ${asking?.kind === "stage" && html`<${MoveStage} version=${one} versions=${versions} edits=${edits} onClose=${close} onChanged=${again} />`}
    ${asking?.kind === "alias" && html`<${MoveAlias} model=${model} versions=${versions} version=${one.version} onClose=${close} onChanged=${again} />`}
    ${asking?.kind === "drop" && html`<${DropAlias} model=${model} alias=${asking.alias} onClose=${close} onChanged=${again} />`}
    ${asking?.kind === "delete" && html`<${DeleteVersion} version=${one} onClose=${close} onDone=${() => navigate(`models/${one.name}`)} />`}`;
}

/** Ask once, whoever wants to know; again after a failure. */
function once(ask) {
  let kept;
  return () => (kept ??= ask().catch((error) => { kept = undefined; throw error; }));
}

function About({ one, run, own }) {
  const told = own.data;
  const facts = [
    ["Source", html`<code>${one.source}</code> <${CopyButton} text=${one.source} label="Copy the source" />`],
    ...(told ? [
      ["Size", told.size_bytes === null ? "not known" : `${bytes(told.size_bytes)} in ${count(told.files)} ${told.files === 1 ? "file" : "files"}`],
      ["Python", told.python_version ?? "not told"], ["Loader", told.loader ?? "not told"],
      ["Files listed with checksums", told.manifest ? "yes" : "no"], ["Signed", told.signed ? "yes" : "no"],
    ] : []),
    ["Changed", time(one.last_updated_timestamp)],
  ];
  const metrics = run?.data?.metrics ?? [];
  return html`<dl class="facts">${facts.map(([name, value]) => html`<div key=${name} class=${name === "Source" ? "whole" : ""}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
    ${own.error && html`<section class="card"><strong>The model's files say nothing.</strong> <p>${own.error.message}</p></section>`}
    ${told?.problems?.length > 0 && html`<section class="card bad" aria-label="Problems"><h2>Something is wrong with its files</h2><ul>${told.problems.map((text) => html`<li>${text}</li>`)}</ul></section>`}
    ${metrics.length > 0 && html`<h2>Metrics of the run</h2><dl class="facts narrow">${metrics.slice(0, 60).map(({ key, value }) => html`<div key=${key}><dt>${key}</dt><dd>${number(value)}</dd></div>`)}</dl>`}
    ${told && html`<h2>Signature</h2><${Signature} signature=${told.signature} />
      <h2>Flavors</h2>${told.flavors.map((flavor) => html`<details key=${flavor.name}><summary>${flavor.name}</summary><pre class="config" tabindex="0">${JSON.stringify(flavor.config, null, 2)}</pre></details>`)}
      <h2>Requirements</h2>${told.requirements.length ? html`<pre class="config" tabindex="0">${told.requirements.join("\n")}</pre>` : html`<p class="muted">none are told</p>`}
      ${told.metadata && html`<h2>Metadata</h2><pre class="config" tabindex="0">${JSON.stringify(told.metadata, null, 2)}</pre>`}
      ${told.input_example && html`<h2>Input example</h2><pre class="config" tabindex="0">${told.input_example}</pre>`}`}`;
}
