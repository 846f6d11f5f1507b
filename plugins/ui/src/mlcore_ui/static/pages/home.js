// The start: what was worked on last, what runs now, and how to begin when there is nothing.
import { html } from "../lib/html.js";
import { api } from "../lib/api.js";
import { href } from "../lib/url.js";
import { ago, count } from "../lib/format.js";
import { start } from "../lib/start.js";
import { useFresh } from "../lib/fresh.js";
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
    <p><a href=${href("experiments")}>All experiments</a></p>`;
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
