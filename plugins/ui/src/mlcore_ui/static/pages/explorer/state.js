// What the explorer shows is in the address; what the pointer does is in signals that table and charts share.
import { signal } from "../../lib/html.js";
import { setQuery } from "../../lib/url.js";
import { extensions } from "../../lib/extensions.js";
import { split } from "./columns.js";

/** More selected runs than this make no address for people. */
export const MOST_IN_ADDRESS = 200;
// after their number, in place of more than these: no id has a blank
const MANY = " runs";

/**
 * What an address says.
 * @typedef {object} Settings
 * @property {string} filter
 * @property {{column: string, descending: boolean}[]} sort
 * @property {string[]|null} cols null: the usual ones
 * @property {string[]} group
 * @property {string[]} open groups whose runs are shown, as `groupText` writes them
 * @property {string} view "table", "table,charts", "charts", or the id of a panel of experiments
 * @property {Set<string>} fixed columns that stay at the left
 * @property {string[]} pin runs that stay on top
 * @property {string} stat what metrics show: last, best, min, max
 * @property {boolean|null} tree null: when there are nested runs
 * @property {string[]} fold runs whose children are not shown
 * @property {"ACTIVE_ONLY"|"DELETED_ONLY"} stage
 * @property {Record<string, number>} widths
 */

/** @param {Record<string, string>} query @returns {Settings} */
export function settings(query) {
  return {
    filter: query.filter ?? "",
    sort: split(query.sort).map((text) => ({ column: text.replace(/^-/, ""), descending: text.startsWith("-") })),
    cols: query.cols === undefined ? null : split(query.cols).filter((name) => name !== "none"),
    group: split(query.group),
    open: (query.open ?? "").match(/(?:\\.|[^,\\])+/g) ?? [],
    view: ["table,charts", "charts"].includes(query.view) || extensions("experiment_panel").some((one) => one.id === query.view) ? /** @type {any} */ (query.view) : "table",
    fixed: new Set(split(query.fix)),
    pin: words(query.pin),
    stat: ["best", "min", "max"].includes(query.stat) ? query.stat : "last",
    tree: query.tree === undefined ? null : query.tree === "1",
    fold: words(query.fold),
    stage: query.stage === "deleted" ? "DELETED_ONLY" : "ACTIVE_ONLY",
    widths: Object.fromEntries(split(query.widths).map((text) => [text.slice(0, text.lastIndexOf(":")), Number(text.slice(text.lastIndexOf(":") + 1)) || 100])),
  };
}

/** A group as the address has it: "tree", or "tree/red" of two columns; \N stands for no value, \E for an empty one. @param {(string|null)[]} values */
export function groupText(values) {
  return values.map((value) => (value === null ? "\\N" : value === "" ? "\\E" : value.replace(/[\\,/]/g, "\\$&"))).join("/");
}

/** @param {string|undefined} text */
function manyOf(text) {
  return text?.endsWith(MANY) ? Number.parseInt(text, 10) || 0 : 0;
}

/** @param {string|undefined} text */
function words(text) {
  return text && !text.endsWith(MANY) ? text.split(",").filter(Boolean) : [];
}

/** Change the address without a step in the history for what is only an adjustment. @param {Record<string, any>} changes @param {boolean} [step] */
export function change(changes, step = false) {
  const texts = Object.fromEntries(Object.entries(changes).map(([name, value]) => [name, Array.isArray(value) ? value.join(",") || null : value]));
  setQuery(texts, { replace: !step });
}

/** @param {Record<string, number>} widths */
export function widthsText(widths) {
  return Object.entries(widths).map(([id, width]) => `${id}:${width}`).join(",");
}

/** Selected and hovered runs of one explorer: shared by table, charts and comparison. */
export class Selection {
  /** @param {string|undefined} runs of the address */
  constructor(runs) {
    /** Ids of the selected runs, in the order of their selection, with what is known of each. */
    this.runs = signal(/** @type {Map<string, import("../../lib/types.js").RunRow>} */ (new Map(words(runs).map((id) => [id, { run_id: id, run_name: id.slice(0, 8) }]))));
    this.hovered = signal(/** @type {string|null} */ (null));
    /** How many runs were selected where the address was made, when it could not name them. */
    this.lost = signal(manyOf(runs));
  }

  has(id) { return this.runs.value.has(id); }

  /** @param {import("../../lib/types.js").RunRow[]} rows @param {boolean} on */
  put(rows, on) {
    const next = new Map(this.runs.peek());
    for (const row of rows) {
      if (on) next.set(row.run_id, { run_id: row.run_id, run_name: row.run_name, lifecycle_stage: row.lifecycle_stage });
      else next.delete(row.run_id);
    }
    this.set(next);
  }

  /** @param {Map<string, import("../../lib/types.js").RunRow>} runs */
  set(runs) {
    this.runs.value = runs;
    const ids = [...runs.keys()];
    this.lost.value = 0;
    change({ runs: ids.length > MOST_IN_ADDRESS ? `${ids.length}${MANY}` : ids });
  }

  /** Another address was opened. @param {string|undefined} text */
  follow(text) {
    const ids = words(text);
    const now = this.runs.peek();
    const many = manyOf(text);
    this.lost.value = many === now.size ? 0 : many;
    if (many && many === now.size) return;
    if (ids.length === now.size && ids.every((id) => now.has(id))) return;
    this.runs.value = new Map(ids.map((id) => [id, now.get(id) ?? { run_id: id, run_name: id.slice(0, 8) }]));
  }

  /** Something happened to these runs: what is known of those that are selected is asked for again. @param {string[]} ids */
  forget(ids) {
    const now = this.runs.peek();
    if (ids.some((id) => now.has(id))) this.runs.value = new Map([...now].map(([id, one]) => [id, ids.includes(id) ? { ...one, lifecycle_stage: undefined } : one]));
  }

  /** Names of runs that were known by id alone. @param {import("../../lib/types.js").RunRow[]} rows */
  learn(rows) {
    const next = new Map(this.runs.peek());
    for (const { run_id, run_name, lifecycle_stage } of rows) if (next.has(run_id)) next.set(run_id, { run_id, run_name, lifecycle_stage });
    this.runs.value = next;
  }
}
