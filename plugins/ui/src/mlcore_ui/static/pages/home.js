// The start: what was worked on last, what runs now, and how to begin when there is nothing.
import { html, useEffect, useState } from "../lib/html.js";
import { api } from "../lib/api.js";
import { href } from "../lib/url.js";
import { ago, count } from "../lib/format.js";
import { plainLine } from "../lib/plain.js";
import { manifest } from "../lib/session.js";
import { start } from "../lib/start.js";
import { useFresh } from "../lib/fresh.js";
import { lastViews, forgetViews } from "../lib/lastviews.js";
import { useLoad } from "../lib/load.js";
import { Empty } from "../components/empty.js";
import { ErrorCard } from "../components/errorcard.js";
import { Snippet } from "../components/copy.js";

export default function Home() {
  const { data: loaded, error, again } = useLoad("home", everything);
  const [newer, setNewer] = useState([]);
  useEffect(() => setNewer([]), [loaded]);
  const data = loaded && { ...loaded, experiments: joined(loaded.experiments, newer) };
  const some = () => { if (data) changed(data).then(setNewer, () => { /* what is shown stays; looked at again soon */ }); };
  useFresh(again, Boolean(data) && !data.experiments.some((one) => one.run_count > 0), some);
  if (error && !data) return html`<${ErrorCard} error=${error} onAgain=${again} />`;
  if (!data) return html`<p class="muted">Loading…</p>`;
  const recent = byActivity(data.experiments);
  if (!recent.length) return html`<${First} />`;
  const running = recent.filter((one) => one.running > 0);
  return html`<h1>Recent experiments</h1>
    ${running.length > 0 && html`<p class="running-now">${running.slice(0, SHOWN).map((one) => html`<a class="chip live" href=${href(`experiments/${one.experiment_id}`)}>${count(one.running)} running in ${one.name}</a> `)}
      ${running.length > SHOWN && html`<span class="muted">and in ${count(running.length - SHOWN)} more experiments</span>`}</p>`}
    <ul class="cards">${recent.slice(0, SHOWN).map((one) => html`<li key=${one.experiment_id}><a class="card link" href=${href(`experiments/${one.experiment_id}`)}>
      <strong>${one.name}</strong><span class="muted">${count(one.run_count)} ${one.run_count === 1 ? "run" : "runs"} · ${ago(one.last_activity)}</span>
      ${one.description && html`<span class="clip">${plainLine(one.description)}</span>`}</a></li>`)}</ul>
    <p><a href=${href("experiments")}>All experiments</a></p>
    <${Last} />
    <${Named} experiments=${recent} />`;
}

/** What this person looked at last, as their browser remembers it. */
function Last() {
  const views = lastViews.value;
  if (!views.length) return null;
  return html`<section aria-labelledby="last-views"><div class="bar"><h2 id="last-views">Recently viewed</h2><span class="muted">kept in this browser only</span>
      <button onClick=${forgetViews}>Clear the list</button></div>
    <ul class="views">${views.map((one) => html`<li key=${one.path + one.search}><a href=${href(one.path) + one.search}>${one.title}</a>
      <span class="muted clip">${about(one)}</span><span class="muted">${ago(one.time)}</span></li>`)}</ul></section>`;
}

/** What is special about a view, in words. */
function about({ path, search }) {
  const query = new URLSearchParams(search);
  const parts = [path.startsWith("runs/") ? ["run", path.split("/")[2]].filter(Boolean).join(", ") : path.split("/")[0]];
  if (query.get("view")) parts.push(query.get("view").replace(",", " and "));
  if (query.get("filter")) parts.push(query.get("filter"));
  if (query.get("sort")) parts.push(`by ${query.get("sort")}`);
  if (query.get("group")) parts.push(`grouped by ${query.get("group")}`);
  return parts.join(" · ");
}

const VIEW = "mlcore.view.";

/** Views that have a name for everybody; they are tags of their experiments. */
function Named({ experiments }) {
  const views = experiments.flatMap((one) => Object.entries(one.tags ?? {}).filter(([name]) => name.startsWith(VIEW)).map(([name, text]) => ({ id: name, experiment: one, ...held(text) })))
    .filter((one) => one.title).sort((a, b) => b.time - a.time).slice(0, 12);
  if (!views.length) return null;
  return html`<section aria-labelledby="named-views"><h2 id="named-views">Named views</h2>
    <ul class="views">${views.map(({ id, experiment, title, query, user, time }) => html`<li key=${id}><a href=${`${href(`experiments/${experiment.experiment_id}`)}?${query}`}>${title}</a>
      <span class="muted clip">${experiment.name}</span><span class="muted">${[user, ago(time)].filter(Boolean).join(", ")}</span></li>`)}</ul></section>`;
}

function held(text) {
  try {
    const { title, query, user, time } = JSON.parse(text);
    return typeof title === "string" && typeof query === "string" ? { title, query, user: typeof user === "string" ? user : "", time: Number(time) || 0 } : {};
  } catch {
    return {};
  }
}

const SHOWN = 12;

function byActivity(experiments) {
  return experiments.filter((one) => one.run_count > 0).sort((a, b) => (b.last_activity ?? 0) - (a.last_activity ?? 0));
}

function joined(old, newer) {
  const known = new Map(newer.map((one) => [one.experiment_id, one]));
  return [...old.map((one) => known.get(one.experiment_id) ?? one), ...newer.filter((one) => !old.some((other) => other.experiment_id === one.experiment_id))];
}

/** The cards and what was made since, in one small answer; all is looked at again when the page is come back to. */
async function changed({ experiments, at }) {
  const recent = byActivity(experiments);
  const shown = new Set([...recent.slice(0, SHOWN), ...recent.filter((one) => one.running > 0).slice(0, SHOWN)]);
  const ids = [...shown].map((one) => `'${one.experiment_id}'`).join(", ");
  const filter = `experiment_id IN (${ids}) OR creation_time > ${at}`;
  return (await api.get("api/ui/1/experiments:list", { filter, max_results: 4 * SHOWN })).experiments;
}

const MOST_PAGES = 5;

/** The experiments, those that were made first as well: work may go on in any of them. */
async function everything(signal) {
  const experiments = [];
  let token;
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const page = await api.get("api/ui/1/experiments:list", { max_results: 1000, page_token: token }, signal);
    experiments.push(...page.experiments);
    token = page.next_page_token;
    if (!token) break;
  }
  // by the clock of the server, not of this machine
  return { experiments, at: Math.max(0, ...experiments.map((one) => one.creation_time ?? 0)) };
}

const LIBRARIES = [["mlcore", "mlcore"], ["mlflow", "MLflow"]];

function First() {
  const [library, setLibrary] = useState("mlcore");
  const name = LIBRARIES.find(([one]) => one === library)[1];
  return html`<${Empty} title="No runs yet" note=${`Paste this into Python where ${name} is installed; the run shows here at once.`}>
    <p><label>Client <select value=${library} onChange=${(event) => setLibrary(event.currentTarget.value)}>
      ${LIBRARIES.map(([one, text]) => html`<option value=${one}>${text}</option>`)}</select></label></p>
    <${Snippet} code=${firstRun(location.origin + start.prefix, "first steps", library)} />
  <//>`;
}

/**
 * Code that makes a first run on this server; on one with users it asks for the password.
 * @param {string} uri @param {string} [experiment] @param {string} [library] that is imported
 */
export function firstRun(uri, experiment = "first steps", library = "mlcore") {
  const user = manifest.value?.user?.name;
  return `${user ? "import os\nfrom getpass import getpass\n\n" : ""}import ${library}

${user ? login(user, library.toUpperCase()) : ""}${library}.set_tracking_uri("${uri}")
${library}.set_experiment(${JSON.stringify(experiment)})
with ${library}.start_run():
    ${library}.log_param("lr", 0.1)
    for step in range(100):
        ${library}.log_metric("loss", 1 / (step + 1), step=step)
`;
}

function login(user, prefix) {
  const word = `${prefix}_TRACKING_PASSWORD`;
  return `os.environ["${prefix}_TRACKING_USERNAME"] = ${JSON.stringify(user)}
os.environ["${word}"] = os.environ.get("${word}") or getpass("Password of ${user.replace(/["\\]/g, "")}: ")
`;
}
