// The start: what was worked on last, what runs now, and how to begin when there is nothing.
import { html } from "../lib/html.js";
import { api } from "../lib/api.js";
import { href } from "../lib/url.js";
import { ago, count } from "../lib/format.js";
import { start } from "../lib/start.js";
import { useFresh } from "../lib/fresh.js";
import { lastViews, forgetViews } from "../lib/lastviews.js";
import { useLoad } from "../lib/load.js";
import { Empty } from "../components/empty.js";
import { ErrorCard } from "../components/errorcard.js";
import { Snippet } from "../components/copy.js";

export default function Home() {
  const { data, error, again } = useLoad("home", everything);
  useFresh(again, Boolean(data) && !data.experiments.some((one) => one.run_count > 0));
  if (error && !data) return html`<${ErrorCard} error=${error} onAgain=${again} />`;
  if (!data) return html`<p class="muted">Loading…</p>`;
  const recent = data.experiments.filter((one) => one.run_count > 0).sort((a, b) => (b.last_activity ?? 0) - (a.last_activity ?? 0));
  if (!recent.length) return html`<${First} />`;
  const running = recent.filter((one) => one.running > 0);
  return html`<h1>Experiments of late</h1>
    ${running.length > 0 && html`<p class="running-now">${running.map((one) => html`<a class="chip live" href=${href(`experiments/${one.experiment_id}`)}>${count(one.running)} running in ${one.name}</a>`)}</p>`}
    <ul class="cards">${recent.slice(0, 12).map((one) => html`<li key=${one.experiment_id}><a class="card link" href=${href(`experiments/${one.experiment_id}`)}>
      <strong>${one.name}</strong><span class="muted">${count(one.run_count)} ${one.run_count === 1 ? "run" : "runs"} · ${ago(one.last_activity)}</span>
      ${one.description && html`<span class="clip">${one.description}</span>`}</a></li>`)}</ul>
    <p><a href=${href("experiments")}>All experiments</a></p>
    <${Last} />
    <${Named} experiments=${recent} />`;
}

/** What this person looked at last, as their browser remembers it. */
function Last() {
  const views = lastViews.value;
  if (!views.length) return null;
  return html`<section aria-labelledby="last-views"><div class="bar"><h2 id="last-views">Your last views</h2><span class="muted">kept by this browser alone</span>
      <button onClick=${forgetViews}>Forget them</button></div>
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
  return { experiments };
}

function First() {
  return html`<${Empty} title="No runs yet" note="Paste this into Python where mlcore or MLflow is installed; the run shows here at once.">
    <${Snippet} code=${firstRun(location.origin + start.prefix)} />
  <//>`;
}

/** Code that makes a first run on this server. @param {string} uri @param {string} [experiment] */
export function firstRun(uri, experiment = "first steps") {
  return `import mlcore

mlcore.set_tracking_uri("${uri}")
mlcore.set_experiment(${JSON.stringify(experiment)})
with mlcore.start_run():
    mlcore.log_param("lr", 0.1)
    for step in range(100):
        mlcore.log_metric("loss", 1 / (step + 1), step=step)
`;
}
