// One run: what it was given, what came out, and why it ended.
import { html, useCallback, useEffect, useMemo, useRef } from "../../lib/html.js";
import { href, navigate, setQuery } from "../../lib/url.js";
import { runColor } from "../../lib/colors.js";
import { useChanges } from "../../lib/live.js";
import { useKeys } from "../../lib/keys.js";
import { Guard } from "../../components/guard.js";
import { ErrorCard } from "../../components/errorcard.js";
import { Lazy } from "../../components/lazy.js";
import { steady } from "../../components/steady.js";
import { Tabs } from "../../components/tabs.js";
import { toast } from "../../components/toast.js";
import { finderOpen } from "../../app/finder.js";
import { useExperiment, useMayEdit, useRun } from "./data.js";
import { Head } from "./head.js";
import { neighbour } from "./neighbours.js";
import { Overview } from "./overview.js";
import { Charts } from "./charts.js";
import { panelsOf } from "./panels.js";

const LATER_MS = 10000;
const FOCUS_MS = 2000;
const SYSTEM = "system/";
const LOADING = html`<p class="muted">Loading…</p>`;
const filing = () => import("./files.js");
const paneling = () => import("../../components/extensionpanel.js");

export default function RunPage({ params, query }) {
  const { id } = params;
  const tab = params.tab ?? "overview";
  const { run, error, again } = useRun(id);
  const last = useRef(null);
  if (run) last.current = run;
  const current = () => (last.current?.info.run_id === id ? last.current : null);
  const experimentId = run?.info.experiment_id;
  const experiment = useExperiment(experimentId);
  const mayEdit = useMayEdit(experimentId);
  useWatch({ id, run, again });
  const onStep = useCallback((way) => step(way, current(), tab, params.rest, query), [id, tab, params.rest, query]);
  useKeys(useMemo(() => ({
    "[": { run: () => onStep("newer"), about: "the run before, with the same tab and file" },
    "]": { run: () => onStep("older"), about: "the run after, with the same tab and file" },
  }), [onStep]), "Run");
  useEffect(() => { if (run) document.title = `${run.name} · mlcore`; }, [run?.name]);
  if (!run) return error ? html`<${Unread} error=${error} again=${again} />` : html`<p class="muted">Loading…</p>`;
  const keys = run.metrics.map((one) => one.key);
  const tabs = tabsOf(id, run, keys);
  return html`
    ${error && html`<div class="banner bad" role="alert">${error.message}</div>`}
    <div role="status">${run.deleted && html`<p class="banner gone">This run is deleted. It stays as it is until it is restored${mayEdit ? "." : " by somebody who may."}</p>`}</div>
    <${SteadyHead} run=${run} experiment=${experiment} mayEdit=${mayEdit && !run.deleted} mayDelete=${mayEdit} onChanged=${again} onStep=${onStep} />
    <${Tabs} tabs=${tabs} current=${tab} label="Run" onGo=${(to) => navigate(tabs.find((one) => one.id === to).path)} />
    <${Guard} of=${`${id} ${tab}`}><${SteadyTab} tab=${tab} id=${id} run=${run} rest=${params.rest ?? ""} query=${query} mayEdit=${mayEdit && !run.deleted} onChanged=${again} /><//>`;
}

function Unread({ error, again }) {
  return html`<${ErrorCard} error=${error} title=${error.status === 404 ? "There is no such run" : "The run cannot be read"} onAgain=${again} />
    <p><a href=${href("experiments")}>All experiments</a> · <button class="plain" onClick=${() => { finderOpen.value = true; }}>Search runs, experiments and models</button></p>`;
}

/** Notice what becomes of the run: as it goes, and when somebody deletes or restores it. */
function useWatch({ id, run, again }) {
  const experimentId = run?.info.experiment_id;
  const known = Boolean(run);
  const asked = useRef(0);
  useChanges(experimentId ? [experimentId] : [], ({ run_ids }) => { if (!run_ids.length || run_ids.includes(id)) again(); },
    { pause: !known, after: run?.open ? 0 : LATER_MS, calm: LATER_MS });
  useEffect(() => {
    if (!known) return undefined;
    const look = () => {
      if (document.hidden || Date.now() - asked.current < FOCUS_MS) return;
      asked.current = Date.now();
      again();
    };
    addEventListener("focus", look);
    document.addEventListener("visibilitychange", look);
    return () => { removeEventListener("focus", look); document.removeEventListener("visibilitychange", look); };
  }, [id, known]);
}

function tabsOf(id, run, keys) {
  const all = [
    { id: "overview", title: "Overview", path: `runs/${id}` },
    { id: "metrics", title: "Metrics", path: `runs/${id}/metrics`, count: keys.filter((key) => !key.startsWith(SYSTEM)).length },
    { id: "artifacts", title: "Artifacts", path: `runs/${id}/artifacts` },
    ...panelsOf(run).filter((one) => one.shown).map(({ panel, count }) => ({ id: panel.id, title: panel.title, path: `runs/${id}/${panel.id}`, count })),
  ];
  return all.map((one) => ({ ...one, href: href(one.path) }));
}

function Tab({ tab, id, run, rest, query, mayEdit, onChanged }) {
  const runs = useMemo(() => [{ run_id: id, name: run.name, color: runColor(id) }], [id, run.name]);
  const all = run.metrics.map((one) => one.key).join("\n");
  const keys = useMemo(() => all.split("\n").filter((key) => key && !key.startsWith(SYSTEM)), [all]);
  const revision = run.metrics.reduce((sum, one) => sum + one.step + one.timestamp, 0);
  switch (tab) {
    case "overview": return html`<${Overview} run=${run} mayEdit=${mayEdit} onChanged=${onChanged} />`;
    case "metrics": return html`<${Charts} runs=${runs} keys=${keys} query=${query} onQuery=${setQuery} revision=${revision} live=${run.open} />`;
    case "artifacts": return html`<${Lazy} load=${filing} name="Files" props=${{ run, path: rest, query }} waiting=${LOADING} />`;
    default:
  }
  const found = panelsOf(run).find((one) => one.panel.id === tab);
  if (found) return html`<${Lazy} key=${tab} load=${paneling} name="ExtensionPanel" props=${{ extension: found.panel, context: { run_ids: [id], experiment_id: run.info.experiment_id, runs, matched: found.matched, revision, live: run.open } }} />`;
  return html`<${ErrorCard} error=${new Error(`a run has no part “${tab}”`)} title="There is no such page" />`;
}

// what a page learns piece by piece does not draw the whole of it each time
const SteadyHead = steady(Head);
const SteadyTab = steady(Tab);

const ENDS = {
  table: { newer: "This is the first run of the table", older: "This is the last run of the table" },
  experiment: { newer: "This is the newest run of the experiment", older: "This is the oldest run of the experiment" },
};

async function step(way, run, tab, rest, query) {
  if (!run) return;
  try {
    const { next, of } = await neighbour(way, run);
    if (!next) { toast(ENDS[of][way]); return; }
    // a run's own models are not the next one's
    const { model, ...kept } = query;
    navigate(["runs", next, ...(tab === "overview" ? [] : [tab]), ...(rest ? [rest] : [])].join("/"), { query: kept });
  } catch (error) {
    toast(error.message, { bad: true });
  }
}
