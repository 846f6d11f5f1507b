// The table of runs: what its head and its cells show, and what keys do in it.
import { html, useMemo, useRef } from "../../lib/html.js";
import { href, navigate } from "../../lib/url.js";
import { groupColor, runColor } from "../../lib/colors.js";
import { ago, count, duration, number, time } from "../../lib/format.js";
import { rendererFor } from "../../lib/extensions.js";
import { Lazy } from "../../components/lazy.js";
import { Status } from "../../components/status.js";
import { Menu } from "../../components/menu.js";
import { VirtualGrid } from "../../components/grid.js";
import { STATS, compose, gridColumn, shownAs } from "./columns.js";
import { change, widthsText } from "./state.js";

const paneling = () => import("../../components/extensionpanel.js");
const SELECT = { id: "select", label: "Selection", width: 34, pinned: true };
const NAME = { id: "name", label: "run", width: 250, pinned: true };
// where somebody was in the table, by step of the history
const places = new Map();

/**
 * @param {{source: any, pinned: import("../../lib/types.js").RunRow[], names: string[], facetOf: Map<string, import("../../lib/types.js").Facet>, set: import("./state.js").Settings, selection: import("./state.js").Selection,
 *   tree: boolean, home: string, onAll: () => void, onFold: (id: string) => void, label: string}} props
 * source: rows by number, as `Windows` has them
 */
export function RunTable({ source, pinned, names, facetOf, set, selection, tree, home, onAll, onFold, label }) {
  const version = source.version.value;
  const fixedKey = [...set.fixed].join();
  const stat = set.stat;
  const grouped = set.group.length > 0;
  const columns = useMemo(() => [SELECT, NAME, ...names.map((name) => gridColumn(shownAs(name, stat), facetOf, new Set([...set.fixed].map((one) => shownAs(one, stat))), grouped))],
    [grouped, names.join("\n"), stat, fixedKey, facetOf]);
  const widths = useMemo(() => set.widths, [widthsText(set.widths)]);
  const anchor = useRef(/** @type {import("../../lib/types.js").RunRow|null} */ (null));
  const selected = selection.runs.value;
  const hovered = selection.hovered.value;
  const pins = useMemo(() => new Set(set.pin), [set.pin.join()]);

  const toggle = (row, range) => {
    const on = !selection.runs.peek().has(row.run_id);
    const rows = range && anchor.current ? between(source.here(), anchor.current, row) : [row];
    selection.put(rows, on);
    anchor.current = row;
  };
  const togglePin = (row) => change({ pin: pins.has(row.run_id) ? set.pin.filter((id) => id !== row.run_id) : [...set.pin, row.run_id] });
  const onKey = (key, row, column, event) => {
    if (!row) return headKey(key, column, set, event);
    if (row.group) return key === "Enter" || key === " " ? (source.toggle(row), true) : false;
    if (key === " ") toggle(row, event.shiftKey);
    else if (key === "Enter") navigate(`runs/${row.run_id}`);
    else if (key === "p") togglePin(row);
    else if (key === "x" && row.children) onFold(row.run_id);
    else return false;
    return true;
  };
  const latest = useRef({ toggle, togglePin });
  latest.current = { toggle, togglePin };
  const cell = useMemo(() => cells({ facetOf, source, onFold, pins, deleted: set.stage === "DELETED_ONLY", toggle: (row, range) => latest.current.toggle(row, range), selection, togglePin: (row) => latest.current.togglePin(row) }), [facetOf, source, set.stage, pins]);

  const all = source.matching > 0 && selected.size >= Math.min(1000, source.matching);
  const headOf = useMemo(() => (column) => head(column, { set, columns, onAll, all }), [set, columns, onAll, all]);
  const sorted = useMemo(() => (column) => sortOf(set, column), [set]);

  return html`<${VirtualGrid} label=${label} columns=${columns} widths=${widths} total=${source.total} row=${(at) => source.row(at)} pinned=${pinned}
    version=${`${set.fold.length}:${pins.size}:${version < 0}`} home=${home} places=${places} tree=${tree || grouped} busy=${source.loading} cell=${cell}
    head=${headOf} sorted=${sorted} isSelected=${(row) => !row.group && selected.has(row.run_id) && !isPlace(row, pins)} isHovered=${(row) => !row.group && row.run_id === hovered}
    onHover=${(row) => { selection.hovered.value = row?.run_id ?? null; }} onSight=${(first, last) => source.want(first, last)} onKey=${onKey}
    onResize=${(id, width) => change({ widths: widthsText({ ...set.widths, [id]: width }) })} onMove=${(id, before) => move(columns, names, id, before)} />`;
}

/** Whether a row is only the place in the order of a run that stands above. */
function isPlace(row, pins) {
  return pins.has(row.run_id) && !row.kept;
}

function sortOf(set, column) {
  const asked = set.sort.find((one) => one.column === sortName(column));
  return asked ? (asked.descending ? "descending" : "ascending") : undefined;
}

function sortName(column) {
  return column.id === "name" ? "attributes.run_name" : column.id;
}

/** Sort by a column: upwards, downwards, not at all; `more` keeps the other criteria. */
export function sortBy(set, name, more = false) {
  const old = set.sort.find((one) => one.column === name);
  const next = !old ? [name] : old.descending ? [] : [`-${name}`];
  const others = set.sort.filter((one) => one.column !== name).map((one) => (one.descending ? "-" : "") + one.column);
  change({ sort: more ? [...others, ...next] : next }, true);
}

function headKey(key, column, set, event) {
  if (key !== "Enter" && key !== " ") return false;
  if (event.altKey || column.id === "select") event.target.querySelector("input, button.grid-menu, .grid-menu button")?.click();
  else sortBy(set, sortName(column), event.shiftKey);
  return true;
}

function move(columns, names, id, before) {
  const shown = columns.slice(2).map((one) => one.id);
  const from = shown.indexOf(id);
  if (from < 0 || id === before) return;
  const next = names.filter((_, at) => at !== from);
  const target = before ? shown.filter((one) => one !== id).indexOf(before) : next.length;
  next.splice(target < 0 ? next.length : target, 0, names[from]);
  change({ cols: next });
}

function head(column, { set, columns, onAll, all }) {
  if (column.id === "select") return html`<input type="checkbox" tabindex="-1" aria-label="Select all runs that fit" checked=${all} onChange=${onAll} />`;
  const name = sortName(column);
  const sign = { ascending: "▲", descending: "▼" }[sortOf(set, column)] ?? "";
  return html`<button class="grid-sort" tabindex="-1" title=${`${name}: sort`} onClick=${(event) => sortBy(set, name, event.shiftKey)}>
      <span class="grid-kind">${column.kind === undefined || column.kind === "attribute" ? "" : [column.kind, column.stat, set.group.length && column.wide && "range, mean"].filter(Boolean).join(" · ")}</span>
      <span class="grid-name">${column.label}</span></button>
    <span class="grid-sign" aria-hidden="true">${sign}</span>
    ${column.id !== "name" && html`<${Menu} label=${`Column ${column.label}`} className="grid-menu" tabindex=${-1} items=${() => menuOf(column, set, columns)}>⋮<//>`}`;
}

function menuOf(column, set, columns) {
  const shown = columns.slice(2).map((one) => one.id);
  const replace = (name) => change({ cols: shown.map((one) => (one === column.id ? name : one)) });
  const group = column.kind === "param" || column.kind === "tag" || column.id === "attributes.status" || column.id === "attributes.user_id";
  const fixed = set.fixed.has(column.id);
  return [
    { text: "Sort upwards", run: () => change({ sort: column.id }, true) },
    { text: "Sort downwards", run: () => change({ sort: `-${column.id}` }, true) },
    { text: fixed ? "Let it scroll" : "Keep at the left", run: () => change({ fix: fixed ? [...set.fixed].filter((one) => one !== column.id) : [...set.fixed, column.id] }) },
    group ? { text: "Group by it", run: () => change({ group: [...set.group.filter((one) => one !== column.id), column.id], open: null }, true) } : null,
    ...(column.kind === "metric" ? STATS.map((stat) => ({
      text: `Show ${stat}`, checked: (column.stat ?? "last") === stat, run: () => replace(compose({ ...column, stat: stat === "last" ? null : stat })),
    })) : []),
    { text: "Hide", run: () => change({ cols: shown.length > 1 ? shown.filter((one) => one !== column.id) : "none" }) },
  ];
}

function between(rows, a, b) {
  const from = rows.findIndex((row) => row.run_id === a.run_id);
  const to = rows.findIndex((row) => row.run_id === b.run_id);
  if (from < 0 || to < 0) return [b];
  return rows.slice(Math.min(from, to), Math.max(from, to) + 1).filter((row) => !row.group);
}

/** What draws a cell; made once, so that rows are drawn again only for their own changes. */
function cells({ source, facetOf, onFold, toggle, togglePin, selection, pins, deleted }) {
  return (row, column) => {
    if (row.group) return groupCell(row, column, source);
    if (column.id === "select") {
      if (isPlace(row, pins)) return html`<span class="muted" title="Kept on top: this is its place in the order">⤒</span>`;
      return html`<input type="checkbox" tabindex="-1" aria-label=${`Select ${row.run_name}`} checked=${selection.runs.peek().has(row.run_id)}
        onClick=${(event) => { event.preventDefault(); toggle(row, event.shiftKey); }} />`;
    }
    if (column.id === "name") return nameCell(row, onFold, togglePin, source.folded, deleted);
    const value = row.columns[column.id]?.[row.at];
    if (value === undefined || value === null) return column.id === "attributes.duration" && row.status === "RUNNING" && row.start_time ? html`<span class="muted">${duration(Date.now() - row.start_time)}</span>` : "";
    const renderer = rendererFor(column.id);
    if (renderer) return html`<${Lazy} load=${paneling} name="ExtensionPanel" props=${{ extension: renderer, context: { run_ids: [row.run_id], column: column.id, value } }} />`;
    if (column.kind === "metric") return html`<span title=${value}>${number(value)}</span>`;
    if (column.kind !== "attribute") return facetOf.get(column.id)?.numeric ? value : html`<span title=${value}>${value}</span>`;
    if (column.key === "status") return html`<${Status} status=${value} />`;
    if (column.key === "start_time" || column.key === "end_time") return html`<span title=${time(value)}>${ago(value)}</span>`;
    // a run that was made without a start began at no time that is known
    if (column.key === "duration") return row.start_time ? duration(value) : "";
    return html`<span title=${value}>${value}</span>`;
  };
}

function nameCell(row, onFold, togglePin, folded, deleted) {
  const closed = folded?.has(row.run_id);
  return html`<span class="run-indent" style=${{ width: `${Math.min(row.depth, 8) * 14}px` }}></span>
    ${row.children > 0 && html`<button class="grid-fold" tabindex="-1" aria-expanded=${!closed} aria-label=${`${count(row.children)} nested runs of ${row.run_name}`}
      onClick=${() => onFold(row.run_id)}>${closed ? "▸" : "▾"}</button>`}
    <span class="run-dot" style=${{ background: runColor(row.run_id) }}></span>
    <a class="run-name" tabindex="-1" href=${href(`runs/${row.run_id}`)} title=${row.run_name}>${row.run_name}</a>
    ${row.lifecycle_stage === "deleted" && !deleted && html`<span class="status failed">deleted</span>`}
    <button class="grid-pin" tabindex="-1" aria-label=${`Keep ${row.run_name} on top, or let it go`} title="Keep on top (p)" onClick=${() => togglePin(row)}>⤒</button>`;
}

function groupCell(row, column, source) {
  if (column.id === "select") return "";
  if (column.id === "name") {
    const text = row.group.values.map((value) => value ?? "(none)").join(" · ");
    return html`<button class="grid-fold wide-fold" tabindex="-1" aria-expanded=${row.open} disabled=${!row.group.filter} onClick=${() => source.toggle(row)}><span aria-hidden="true">${row.open ? "▾ " : "▸ "}</span><span class="mark-dot" aria-hidden="true" style=${{ background: groupColor(JSON.stringify(row.group.values)) }}></span> <strong title=${text}>${text}</strong>${" "}
      <span class="count">${count(row.group.count)}</span></button>`;
  }
  const stats = row.group.stats?.[column.id];
  if (!stats) return "";
  return html`<span class="grid-mean" title=${`mean ${stats.mean}, min ${stats.min}, max ${stats.max}`}>${stats.min !== stats.max && html`<small class="muted">${number(stats.min, 3)} – ${number(stats.max, 3)}</small>`}<span>${number(stats.mean, 4)}</span></span>`;
}

