// The explorer: filter, charts and table of the runs of one or more experiments. What it shows is in the address.
import { toast } from "../../components/toast.js";
import { count } from "../../lib/format.js";
import { html, useEffect, useMemo, useRef, useState } from "../../lib/html.js";
import { api } from "../../lib/api.js";
import { readExperiment } from "../../lib/experiments.js";
import { href, setQuery } from "../../lib/url.js";
import { extensions } from "../../lib/extensions.js";
import { useKeys } from "../../lib/keys.js";
import { useLoad } from "../../lib/load.js";
import { useChanges } from "../../lib/live.js";
import { may } from "../../lib/session.js";
import { ErrorCard } from "../../components/errorcard.js";
import { Lazy } from "../../components/lazy.js";
import { Tabs } from "../../components/tabs.js";
import { shownAs, usual } from "./columns.js";
import { FilterBar } from "./filterbar.js";
import { Head } from "./head.js";
import { Windows, rowsOf } from "./rows.js";
import { Selection, change, settings } from "./state.js";
import { RunTable } from "./table.js";
import { Toolbar } from "./toolbar.js";

const MOST_SELECTED = 1000;
const TYPING_MS = 3000;
const FACETS_MS = 20000;
const grouping = () => import("./grouped.js");
const picking = () => import("./picker.js");
const viewing = () => import("./views.js");
const acting = () => import("./actions.js");
const charting = () => import("./strip.js");
const starting = () => import("./first.js");

export default function Explorer({ params, query }) {
  const ids = useMemo(() => params.ids.split(",").filter(Boolean), [params.ids]);
  const experiments = useLoad(`experiments:${params.ids}`, (signal) => Promise.all(ids.map((id) => readExperiment(id, signal))));
  if (experiments.error && !experiments.data) {
    return html`<${ErrorCard} error=${experiments.error} title="This experiment cannot be shown" onAgain=${experiments.again} /><p><a href=${href("experiments")}>All experiments</a></p>`;
  }
  return html`<${Page} key=${params.ids} ids=${ids} query=${query} experiments=${experiments.data ?? NONE} onChanged=${experiments.again} />`;
}

function Page({ ids, query, experiments, onChanged }) {
  const set = settings(query);
  const [dialog, setDialog] = useState(/** @type {string|null} */ (null));
  const [edit, setEdit] = useState(false);
  const selection = useMemo(() => new Selection(query.runs), []);
  useEffect(() => selection.follow(query.runs), [query.runs]);
  useEffect(() => { Promise.all(ids.map((id) => may("experiments", id))).then((all) => setEdit(all.every((one) => one.has("edit"))), () => setEdit(false)); }, []);

  const called = experiments.map((one) => one.name).join(", ");
  useEffect(() => { if (called) document.title = `${called} · mlcore`; }, [called]);

  const facets = useLoad(`facets:${set.stage}`, (signal) => api.post("api/ui/1/runs:facets", { experiment_ids: ids, filter: "", view: set.stage }, signal));
  const keys = facets.data?.keys ?? NONE;
  const facetOf = useMemo(() => new Map(keys.map((one) => [one.column, one])), [keys]);
  const names = set.cols ?? usual(facets.data);
  const nested = keys.some((one) => one.kind === "tag" && one.column.includes("mlflow.parentRunId"));
  const tree = (set.tree ?? nested) && !set.group.length;
  const ready = set.cols !== null || facets.data || facets.error;
  const question = ready ? {
    experiment_ids: ids, filter: set.filter, order_by: set.sort.map((one) => `${one.column} ${one.descending ? "DESC" : "ASC"}`), view: set.stage,
    columns: [...new Set(names.map((name) => shownAs(name, set.stat)))], tree, collapsed: tree ? set.fold : [], group_by: set.group,
  } : null;
  const source = useSource(question);
  source.folded = new Set(set.fold);

  const pins = useLoad(`pin:${JSON.stringify([set.pin, question?.columns, ids])}`, async (signal) => {
    if (!set.pin.length || !question) return [];
    const filter = `attributes.run_id IN (${set.pin.map((id) => `"${id.replaceAll('"', "")}"`).join(", ")})`;
    return rowsOf(await api.post("api/ui/1/runs:table", { experiment_ids: ids, filter, view: "ALL", columns: question.columns, offset: 0, limit: 100 }, signal));
  });
  useNames(selection, ids);
  const asked = useRef(Date.now());
  const again = (all = true) => {
    source.again();
    if (set.pin.length) pins.again();
    if (all || Date.now() - asked.current > FACETS_MS) { asked.current = Date.now(); facets.again(); }
  };
  // counts what the server told of, so that charts ask again then, and not while somebody scrolls
  const [changed, setChanged] = useState(0);
  useChanges(ids, () => { setChanged((old) => old + 1); again(false); });
  useExplorerKeys({ selection, onColumns: () => setDialog("columns") });

  const all = async () => {
    if (selection.runs.peek().size >= Math.min(MOST_SELECTED, source.matching)) { selection.set(new Map()); return; }
    const answer = await api.post("api/ui/1/runs:table", { ...question, columns: [], group_by: [], tree: false, collapsed: [], offset: 0, limit: MOST_SELECTED });
    selection.put(rowsOf(answer), true);
    if (source.matching > MOST_SELECTED) toast(`The first ${count(MOST_SELECTED)} of ${count(source.matching)} runs are selected; more at once are not.`);
  };
  // what was filtered before somebody began to type is a step to go back to; each letter is none
  const typed = useRef(0);
  const onFilter = (filter) => {
    const begins = Date.now() - typed.current > TYPING_MS;
    typed.current = Date.now();
    change({ filter }, begins);
  };
  const onFold = (id) => change({ fold: set.fold.includes(id) ? set.fold.filter((one) => one !== id) : [...set.fold, id] });
  const shared = { ids, set, selection, source, query, onQuery, facets: facets.data, edit, changed, onChanged: again };
  // ids of other kinds are theirs: there is a viewer of files called "table", too
  const panel = extensions("experiment_panel").find((one) => one.id === set.view);
  const empty = facets.data?.total === 0 && !set.filter;
  return html`<${Head} experiments=${experiments} edit=${edit} onChanged=${onChanged} />
    <${FilterBar} text=${set.filter} error=${source.version.value >= 0 && fault(source.error)} keys=${keys} onText=${onFilter} />
    <${Ways} ids=${ids} query=${query} view=${set.view} />
    <${Trouble} source=${source} facets=${facets} />
    ${selection.runs.value.size > 0 && html`<${Lazy} load=${acting} name="Actions" props=${shared} />`}
    ${set.view !== "table" && html`<${Lazy} load=${charting} name=${panel ? "Panel" : "Strip"} props=${{ ...shared, panel }} />`}
    ${(set.view === "table" || set.view === "table,charts") && html`
      <${Toolbar} set=${set} source=${source} ids=${ids} keys=${keys} names=${question?.columns ?? []} question=${question} tree=${tree} nested=${nested}
        onColumns=${() => setDialog("columns")} onViews=${() => setDialog("views")} />
      ${empty ? html`<${Lazy} load=${starting} props=${{ deleted: set.stage !== "ACTIVE_ONLY", name: experiments.length === 1 ? experiments[0].name : undefined }} />`
    : html`<${RunTable} source=${source} pinned=${set.pin.length ? pins.data ?? [] : NONE} names=${names} facetOf=${facetOf} set=${set} selection=${selection}
        home=${JSON.stringify([question?.filter, question?.order_by, set.group, set.stage])} onAll=${all} onFold=${onFold} label="Runs" />`}`}
    ${dialog === "columns" && html`<${Lazy} load=${picking} name="ColumnPicker" props=${{ names, keys, chosen: set.cols !== null, more: facets.data?.more ?? 0, onClose: () => setDialog(null) }} />`}
    ${dialog === "views" && html`<${Lazy} load=${viewing} name="Views" props=${{ experimentId: ids[0], edit, onClose: () => setDialog(null) }} />`}`;
}

const NONE = [];
const onQuery = (changes, more) => setQuery(changes, { replace: true, ...more });

/** Rows for a question: in windows, or in groups. @param {any} question */
function useSource(question) {
  const grouped = Boolean(question?.group_by.length);
  const plain = useMemo(() => new Windows(), []);
  const [groups, setGroups] = useState(/** @type {any} */ (null));
  useEffect(() => {
    if (!grouped) { setGroups(null); return undefined; }
    let made = null;
    let wanted = true;
    grouping().then((module) => { if (wanted) { made = new module.Grouped(); setGroups(made); } });
    return () => { wanted = false; made?.close(); };
  }, [grouped]);
  const source = grouped && groups ? groups : plain;
  const key = JSON.stringify(question);
  useEffect(() => { if (question && (!grouped || groups)) source.ask(question); }, [key, source]);
  useEffect(() => () => plain.close(), []);
  return source;
}

/** Learn the names of runs that the address knows by their ids alone. */
function useNames(selection, ids) {
  const unknown = [...selection.runs.value.values()].filter((one) => !one.lifecycle_stage).map((one) => one.run_id.replaceAll('"', ""));
  useLoad(`names:${unknown.join()}`, async (signal) => {
    if (!unknown.length) return;
    const filter = `attributes.run_id IN (${unknown.map((id) => `"${id}"`).join(", ")})`;
    const answer = await api.post("api/ui/1/runs:table", { experiment_ids: ids, filter, view: "ALL", columns: [], offset: 0, limit: 1000 }, signal);
    selection.learn(rowsOf(answer));
  });
}

/** The keys of the page beside those of the grid. */
function useExplorerKeys({ selection, onColumns }) {
  const move = (key) => {
    const cell = document.querySelector(".grid [data-row][tabindex='0']") ?? document.querySelector(".grid");
    if (!(cell instanceof HTMLElement)) return;
    cell.focus();
    cell.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  };
  useKeys({
    "/": { run: () => document.getElementById("filter")?.focus(), about: "filter" },
    "j": { run: () => move("ArrowDown"), about: "next run" },
    "k": { run: () => move("ArrowUp"), about: "run before" },
    "c": { run: () => { if (selection.runs.peek().size > 1) change({ view: "compare" }, true); }, about: "compare the selected runs" },
    "e": { run: onColumns, about: "choose columns" },
  }, "Runs");
  // these are the grid's own; here they only stand for the help
  const own = (about) => ({ run: () => undefined, about });
  useKeys({
    "↑ ↓ ← →": own("from cell to cell"), "Home End": own("first run, last run"), "PgUp PgDn": own("a page up, a page down"), "Space": own("select; with Shift: all between"),
    "Enter ": own("open the run; in the head: sort"), "p": { run: () => move("p"), about: "keep the run on top" }, "x": { run: () => move("x"), about: "fold nested runs" },
    "Alt Enter": own("in the head: menu of the column"), "Alt ← →": own("in the head: move the column"), "Shift ← →": own("in the head: make the column narrower or wider"),
  }, "Table of runs");
}

function fault(error) {
  return error && error.status >= 400 && error.status < 500 ? error : null;
}

/** What went wrong beside the filter. */
function Trouble({ source, facets }) {
  const version = source.version.value;
  const error = source.error && !fault(source.error) ? source.error : facets.error;
  if (!error || version < 0) return null;
  return html`<div class="banner bad" role="alert">${error.message} <button onClick=${() => { source.load?.(); if (facets.error) facets.again(); }}>Try again</button></div>`;
}

function Ways({ ids, query, view }) {
  const to = (one) => href(`experiments/${ids.join(",")}`, { ...query, view: one === "table" ? null : one });
  const tabs = [["table", "Table"], ["table,charts", "Charts and table"], ["charts", "Charts"], ...extensions("experiment_panel").map((one) => [one.id, one.title])].map(([id, title]) => ({ id, title, href: to(id) }));
  return html`<${Tabs} tabs=${tabs} current=${view} label="Views of the runs" onGo=${(id) => change({ view: id === "table" ? null : id }, true)} />`;
}
