// The explorer: filter, charts and table of the runs of one or more experiments. What it shows is in the address.
import { html, useEffect, useMemo, useRef, useState } from "../../lib/html.js";
import { readExperiment } from "../../lib/experiments.js";
import { href, setQuery } from "../../lib/url.js";
import { extensions } from "../../lib/extensions.js";
import { useLoad } from "../../lib/load.js";
import { useChanges } from "../../lib/live.js";
import { may } from "../../lib/session.js";
import { ErrorCard } from "../../components/errorcard.js";
import { Lazy } from "../../components/lazy.js";
import { Tabs } from "../../components/tabs.js";
import { FilterBar } from "./filterbar.js";
import { Head } from "./head.js";
import { useExplorerKeys } from "./shortcuts.js";
import { selectAll, useNames, usePins, useQuestion, useSource } from "./source.js";
import { MOST_IN_ADDRESS, Selection, change, settings } from "./state.js";
import { RunTable } from "./table.js";
import { Toolbar } from "./toolbar.js";

const TYPING_MS = 3000;
const FACETS_MS = 20000;
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

  const { facets, keys, find, facetOf, names, nested, tree, question } = useQuestion(ids, set);
  const source = useSource(question, set.open);
  source.folded = new Set(set.fold);

  const pins = usePins(set.pin, question?.columns, ids);
  useNames(selection, ids);
  const asked = useRef(Date.now());
  const again = (all = true) => {
    source.again();
    if (set.pin.length) pins.again();
    if (all || Date.now() - asked.current > FACETS_MS) { asked.current = Date.now(); facets.again(); }
  };
  // counts what the server told of, so that charts ask again then, and not while somebody scrolls
  const [changed, setChanged] = useState(0);
  useChanges(ids, ({ run_ids }) => { selection.forget(run_ids ?? NONE); setChanged((old) => old + 1); again(false); });
  useExplorerKeys({ selection, onColumns: () => setDialog("columns") });

  const shared = { ids, set, selection, source, query, onQuery, facets: facets.data, find, edit, changed, onChanged: again };
  // ids of other kinds are theirs: there is a viewer of files called "table", too
  const panel = extensions("experiment_panel").find((one) => one.id === set.view);
  return html`<${Head} experiments=${experiments} edit=${edit} described=${set.view === "table"} onChanged=${onChanged} />
    <${FilterBar} text=${set.filter} error=${source.version.value >= 0 && fault(source.error)} keys=${keys} find=${find} onText=${useFilter()} />
    <${Ways} ids=${ids} query=${query} view=${set.view} />
    <${Trouble} source=${source} facets=${facets} />
    ${selection.lost.value > 0 && html`<div class="banner" role="status">${selection.lost.value} runs were selected where this address was made. An address names at most ${MOST_IN_ADDRESS}: select them again.
      <button onClick=${() => selection.set(new Map())}>Close</button></div>`}
    ${selection.runs.value.size > 0 && html`<${Lazy} load=${acting} name="Actions" props=${shared} />`}
    ${set.view !== "table" && html`<${Lazy} load=${charting} name=${panel ? "Panel" : "Strip"} props=${{ ...shared, panel }} />`}
    ${(set.view === "table" || set.view === "table,charts") && html`
      <${Toolbar} set=${set} source=${source} ids=${ids} keys=${keys} names=${question?.columns ?? []} question=${question} tree=${tree} nested=${nested}
        onColumns=${() => setDialog("columns")} onViews=${() => setDialog("views")} />
      <${Rows} ...${{ source, set, selection, question, facets, facetOf, names, tree }} pinned=${set.pin.length ? pins.data ?? NONE : NONE} name=${experiments.length === 1 ? experiments[0].name : undefined} />`}
    ${dialog === "columns" && html`<${Lazy} load=${picking} name="ColumnPicker" props=${{ names, keys, chosen: set.cols !== null, more: facets.data?.more ?? 0, find, onClose: () => setDialog(null) }} />`}
    ${dialog === "views" && html`<${Lazy} load=${viewing} name="Views" props=${{ experimentId: ids[0], edit, onClose: () => setDialog(null) }} />`}`;
}

const NONE = [];
const onQuery = (changes, more) => setQuery(changes, { replace: true, ...more });

/** What takes a typed filter: what was filtered before somebody began to type is a step to go back to; each letter is none. */
function useFilter() {
  const typed = useRef(0);
  return (filter) => {
    const begins = Date.now() - typed.current > TYPING_MS;
    typed.current = Date.now();
    change({ filter }, begins);
  };
}

/** The table, or why there is none. */
function Rows({ source, set, selection, question, facets, facetOf, names, tree, pinned, name }) {
  const none = source.version.value >= 0 && (source.known ? set.filter && !source.matching && !pinned.length : fault(source.error));
  if (none) return html`<${Lazy} load=${starting} name="NoMatch" props=${{ known: source.known }} />`;
  if (!set.filter && facets.data?.total === 0) return html`<${Lazy} load=${starting} props=${{ deleted: set.stage !== "ACTIVE_ONLY", name }} />`;
  const onFold = (id) => change({ fold: set.fold.includes(id) ? set.fold.filter((one) => one !== id) : [...set.fold, id] });
  return html`<${RunTable} source=${source} pinned=${pinned} names=${names} facetOf=${facetOf} set=${set} selection=${selection} tree=${tree}
    home=${JSON.stringify([question?.filter, question?.order_by, set.group, set.stage])} onAll=${() => selectAll(source, question, selection)} onFold=${onFold} label="Runs" />`;
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
