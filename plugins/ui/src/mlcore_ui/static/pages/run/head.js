// The head of a run: its name, what became of it, when, whose, out of what.
import { html, useState } from "../../lib/html.js";
import { href, navigate } from "../../lib/url.js";
import { ago, duration, time } from "../../lib/format.js";
import { runColor } from "../../lib/colors.js";
import { useLoad } from "../../lib/load.js";
import { Status } from "../../components/status.js";
import { CopyButton } from "../../components/copy.js";
import { toast } from "../../components/toast.js";
import { safe } from "../../components/markdown.js";
import { api } from "../../lib/api.js";
import { write } from "./data.js";
import { Failure } from "./failure.js";

/** What is told of the source: without any of it there is nothing to show. */
const SOURCES = ["mlflow.source.name", "mlflow.source.git.commit", "mlflow.source.git.branch", "mlflow.project.entryPoint"];
const RECENT_MS = 60 * 86400 * 1000;

/** @param {{run: import("./data.js").Run, experiment: any, mayEdit: boolean, mayDelete: boolean, onChanged: () => void, onStep: (way: string) => void}} props */
export function Head({ run, experiment, mayEdit, mayDelete, onChanged, onStep }) {
  const { info, tags } = run;
  const end = info.end_time || (run.open ? Date.now() : 0);
  return html`<nav class="crumbs" aria-label="Where this is"><a href=${href("experiments")}>Experiments</a> / <a href=${href(`experiments/${info.experiment_id}`)}>${experiment?.name ?? info.experiment_id}</a></nav>
    <div class="bar run-head"><span class="dot" style=${{ background: runColor(info.run_id) }} aria-hidden="true"></span><${Name} run=${run} mayEdit=${mayEdit} onChanged=${onChanged} />
      <${Status} status=${run.state} />${run.deleted && html`<span class="status killed">deleted</span>`}
      <span class="grow"></span>
      <button aria-label="Run before" title="Run before ([)" onClick=${() => onStep("newer")}>‹</button><button aria-label="Run after" title="Run after (])" onClick=${() => onStep("older")}>›</button>
      ${mayDelete && html`<button onClick=${() => remove(run, onChanged)}>${run.deleted ? "Restore" : "Delete"}</button>`}</div>
    <${Failure} run=${run} />
    <dl class="facts run-facts">
      <${Fact} name="Started">${time(info.start_time)} ${info.start_time > Date.now() - RECENT_MS && html`<span class="muted">${ago(info.start_time)}</span>`}<//>
      <${Fact} name=${run.open ? "Running for" : "Took"}>${end && info.start_time ? duration(end - info.start_time) : ""}<//>
      ${(tags.get("mlflow.user") || info.user_id) && html`<${Fact} name="User">${tags.get("mlflow.user") || info.user_id}<//>`}
      ${SOURCES.some((key) => tags.get(key)) && html`<${Fact} name="Source"><${Source} tags=${tags} /><//>`}
      ${tags.get("mlflow.parentRunId") && html`<${Fact} name="Parent"><${Parent} id=${tags.get("mlflow.parentRunId")} /><//>`}
      <${Fact} name="Run id"><code>${info.run_id}</code> <${CopyButton} text=${info.run_id} label="Copy the run id" /><//>
    </dl>`;
}

function Fact({ name, children }) {
  return html`<div><dt>${name}</dt><dd>${children}</dd></div>`;
}

function Name({ run, mayEdit, onChanged }) {
  const [text, setText] = useState(null);
  if (text === null) return html`<h1>${run.name}</h1>${mayEdit && html`<button class="plain" aria-label="Rename the run" title="Rename" onClick=${() => setText(run.name)}>✎</button>`}`;
  const save = async (event) => {
    event.preventDefault();
    if (!text.trim() || text === run.name) { setText(null); return; }
    try {
      await write.rename(run.info.run_id, text.trim());
      setText(null);
      onChanged();
      toast("The run has another name", { undo: () => write.rename(run.info.run_id, run.name).then(onChanged, tell) });
    } catch (error) { tell(error); }
  };
  return html`<form class="rename" onSubmit=${save}><input autofocus aria-label="Name of the run" value=${text} ref=${focused} onInput=${(event) => setText(event.currentTarget.value)}
    onKeyDown=${(event) => { if (event.key === "Escape") setText(null); }} /><button class="primary">Rename</button><button type="button" onClick=${() => setText(null)}>Cancel</button></form>`;
}

/** Focus an input when it appears. */
export function focused(element) {
  if (element && !element.dataset.seen) { element.dataset.seen = "1"; element.focus(); element.select?.(); }
}

export function tell(error) {
  toast(error.message, { bad: true });
}

async function remove(run, onChanged) {
  const { run_id } = run.info;
  try {
    await (run.deleted ? write.restore(run_id) : write.remove(run_id));
    onChanged();
    toast(run.deleted ? "The run was restored" : "The run was deleted", { undo: () => (run.deleted ? write.remove(run_id) : write.restore(run_id)).then(onChanged, tell) });
  } catch (error) { tell(error); }
}

function Source({ tags }) {
  const name = tags.get("mlflow.source.name");
  const commit = tags.get("mlflow.source.git.commit");
  const branch = tags.get("mlflow.source.git.branch");
  const repo = web(tags.get("mlflow.source.git.repoURL") ?? "");
  const entry = tags.get("mlflow.project.entryPoint");
  return html`${name && html`<span title=${name}>${name.split("/").pop() || name}</span>`}${entry && html` <span class="muted">${entry}</span>`}
    ${commit && html` ${repo && /^[0-9a-f]{7,64}$/i.test(commit) ? html`<a href=${`${repo}/commit/${encodeURIComponent(commit)}`} rel="noopener noreferrer" title=${commit}><code>${commit.slice(0, 8)}</code></a>` : html`<code title=${commit}>${commit.slice(0, 8)}</code>`}
      <${CopyButton} text=${commit} label="Copy the commit" />`}${branch && html` <span class="muted">${branch}</span>`}
    ${tags.get("mlflow.source.git.dirty") === "true" && html` <span class="chip" title="There were changes that are in no commit">changed</span>`}`;
}

/** Where people see a repository, or "". @param {string} url as git knows it */
function web(url) {
  const ssh = /^(?:ssh:\/\/)?git@([\w.-]+)[:/](.+?)(?:\.git)?\/?$/.exec(url);
  const address = ssh ? `https://${ssh[1]}/${ssh[2]}` : /^https?:\/\//.test(url) ? url.replace(/(\.git)?\/?$/, "").replace(/^(https?:\/\/)[^/@]*@/, "$1") : "";
  return address && safe(address) ? address : "";
}

function Parent({ id }) {
  const { data } = useLoad(`parent ${id}`, async (signal) => (await api.get("ajax-api/2.0/mlflow/runs/get", { run_id: id }, signal)).run.info.run_name);
  return html`<a href=${href(`runs/${id}`)} onClick=${(event) => { if (event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey) { event.preventDefault(); navigate(`runs/${id}`); } }}>${data || id}</a>`;
}
