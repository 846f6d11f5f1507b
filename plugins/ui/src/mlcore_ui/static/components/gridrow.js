// Rows and cells of the grid: drawn again only when something of theirs has changed.
import { html, Component } from "../lib/html.js";

export const ROW = 30;

/**
 * A column of the grid.
 * @typedef {{id: string, width: number, label: string, pinned?: boolean, right?: boolean}} Column
 * @typedef {{columns: Column[], lefts: number[], total: number, fixed: number, places: {left: string, width: string}[]}} Layout
 */

/** Where the columns stand: the pinned ones first. @param {Column[]} columns @param {Record<string, number>} widths @returns {Layout} */
export function layout(columns, widths) {
  const ordered = [...columns.filter((one) => one.pinned), ...columns.filter((one) => !one.pinned)]
    .map((one) => (widths[one.id] ? { ...one, width: widths[one.id] } : one));
  const lefts = [];
  let at = 0;
  for (const one of ordered) { lefts.push(at); at += one.width; }
  return { columns: ordered, lefts, total: at, fixed: ordered.filter((one) => one.pinned).length,
    // the same objects in every row: what did not change is not looked into
    places: ordered.map((one, index) => ({ left: `${lefts[index]}px`, width: `${one.width}px` })) };
}

/** Which of the columns that are not pinned are in sight. @param {Layout} plan @param {number} left @param {number} width */
export function inSight(plan, left, width) {
  let first = plan.fixed;
  while (first < plan.columns.length && plan.lefts[first] + plan.columns[first].width < left) first += 1;
  let last = first;
  while (last < plan.columns.length && plan.lefts[last] < left + width) last += 1;
  return { first: Math.max(plan.fixed, first - 1), last: Math.min(plan.columns.length, last + 1) };
}

/** The columns to draw, each with its place. @param {Layout} plan @param {{first: number, last: number}} seen */
export function drawn(plan, seen) {
  const places = [];
  for (let at = 0; at < plan.fixed; at += 1) places.push(at);
  for (let at = seen.first; at < seen.last; at += 1) places.push(at);
  return places;
}

/** How a cell is put in its place. @param {Layout} plan @param {number} at */
export function place(plan, at) {
  return plan.places[at];
}

const WATCHED = ["row", "index", "plan", "first", "last", "selected", "hovered", "active", "version", "top", "tree"];

/** One row; `number` counts from 0 over pinned and other rows, `top` is in pixels. */
export class Row extends Component {
  shouldComponentUpdate(next) {
    return WATCHED.some((name) => next[name] !== this.props[name]);
  }

  render({ row, number, top, plan, first, last, selected, hovered, active, cell, tree }) {
    // what flies by and is not known yet is one cell that says so, and the one that has the focus
    const places = drawn(plan, { first, last }).filter((at) => row || at === plan.fixed - 1 || at === active);
    return html`<div role="row" class=${`grid-row${selected ? " selected" : ""}${hovered ? " hovered" : ""}${row?.group ? " group" : ""}`}
      aria-rowindex=${number + 2} aria-level=${tree && row ? row.level + 1 : undefined} aria-selected=${row && !row.group ? Boolean(selected) : undefined}
      style=${{ transform: `translateY(${top}px)`, width: `${plan.total}px` }}>
      ${places.map((at, slot) => html`<div key=${at < plan.fixed ? `p${at}` : slot} role="gridcell" aria-colindex=${at + 1} data-row=${number} data-col=${at}
        class=${`grid-cell${at < plan.fixed ? " pinned" : ""}${plan.columns[at].right && !row?.group ? " right" : ""}`} tabindex=${active === at ? 0 : -1}
        style=${place(plan, at)}>${row ? cell(row, plan.columns[at]) : at === plan.fixed - 1 ? "…" : ""}</div>`)}
    </div>`;
  }
}
