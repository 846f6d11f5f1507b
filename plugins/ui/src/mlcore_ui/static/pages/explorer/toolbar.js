// What stands above the table: kinds of view, columns, groups, what metrics show, and more.
import { html } from "../../lib/html.js";
import { address } from "../../lib/api.js";
import { count } from "../../lib/format.js";
import { Menu } from "../../components/menu.js";
import { parse, label, sortShown } from "./columns.js";
import { change } from "./state.js";

const STATS = [["last", "last value"], ["best", "best"], ["min", "min"], ["max", "max"]];

/**
 * @param {{set: import("./state.js").Settings, source: any, ids: string[], keys: import("../../lib/types.js").Facet[], names: string[], question: import("../../lib/types.js").Question|null, tree: boolean, nested: boolean,
 *   onColumns: () => void, onViews: () => void}} props
 */
export function Toolbar({ set, source, ids, keys, names, question, tree, nested, onColumns, onViews }) {
  const version = source.version.value;
  const grouping = keys.filter((one) => (one.kind === "param" || one.kind === "tag") && (one.distinct > 1 || set.group.includes(one.column)) && !/^tags\.[`"']?mlflow\./.test(one.column));
  const groups = [...grouping.map((one) => one.column), "attributes.status", "attributes.user_id"];
  const show = (stat) => change({ stat: stat === "last" ? null : stat, sort: sortShown(set.sort, set.cols, set.stat, stat) });
  const deleted = set.stage === "DELETED_ONLY";
  return html`<div class="bar tools" data-version=${version}>
    <strong class="matches" role="status">${source.known ? `${count(source.matching)} ${deleted ? "deleted " : ""}${source.matching === 1 ? "run" : "runs"}` : source.error ? "" : "…"}${source.groups !== undefined && source.known ? ` in ${count(source.groups)} ${source.groups === 1 ? "group" : "groups"}` : ""}</strong>
    <span class="grow"></span>
    <label class="check">Metrics show <select aria-label="What metrics show" value=${set.stat} onChange=${(event) => show(event.currentTarget.value)}>
      ${STATS.map(([value, text]) => html`<option value=${value} selected=${value === set.stat}>${text}</option>`)}</select></label>
    <${Menu} label="Group by" className="" items=${() => [
      ...groups.slice(0, 40).map((name) => ({ text: label(parse(name)), checked: set.group.includes(name),
        run: () => change({ group: set.group.includes(name) ? set.group.filter((one) => one !== name) : [...set.group, name], open: null }, true) })),
      set.group.length ? { text: "No groups", run: () => change({ group: null, open: null }, true) } : null,
    ]}>${set.group.length ? `Grouped by ${set.group.map((one) => label(parse(one))).join(", ")}` : "Group by"} ▾<//>
    ${nested && !set.group.length && html`<label class="check"><input type="checkbox" checked=${tree} onChange=${() => change({ tree: tree ? "0" : "1" })} /> nested</label>`}
    <button onClick=${onColumns}>Columns <kbd>e</kbd></button>
    <button onClick=${onViews}>Views</button>
    <${Menu} label="More" className="" items=${() => [
      { text: "Download all that fit as CSV", href: csv(ids, question, names), download: "" },
      { text: "Download all columns as CSV", href: csv(ids, question, []), download: "" },
      { text: "Deleted runs", checked: deleted, run: () => change({ stage: deleted ? null : "deleted", runs: null, pin: null, fold: null }, true) },
      Object.keys(set.widths).length ? { text: "Usual widths", run: () => change({ widths: null }) } : null,
      { text: "Reset the view", run: () => change({ filter: null, sort: null, cols: null, group: null, open: null, pin: null, fix: null, stat: null, tree: null, fold: null, stage: null, widths: null }, true) },
    ]}>More ▾<//>
  </div>`;
}

/** The address of all runs that fit, as CSV. @param {string[]} ids @param {any} question @param {string[]} columns */
export function csv(ids, question, columns) {
  // these come first in any case
  const more = columns.filter((one) => !one.startsWith("attributes.") || one === "attributes.duration");
  return address("api/ui/1/runs.csv", { experiment_ids: ids, filter: question?.filter, order_by: question?.order_by, columns: more, view: question?.view });
}
