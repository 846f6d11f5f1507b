// What plugins show: found by kind, and by what it is for.
import { start } from "./start.js";

/** @typedef {{id: string, kind: string, title: string, order?: number, match?: string[], max_bytes?: number|null, series?: boolean, module?: string, isolate?: boolean, blocks?: boolean}} Extension */

/** @type {Map<string, Extension[]>} */
const byKind = new Map();

/** @param {string} kind such as "run_panel" @returns {Extension[]} in order */
export function extensions(kind) {
  if (!byKind.has(kind)) byKind.set(kind, (start.extensions ?? []).filter((one) => one.kind === kind));
  return byKind.get(kind);
}

/** @param {string} id */
export function extension(id) {
  return (start.extensions ?? []).find((one) => one.id === id);
}

const renderers = new Map();

/** The renderer of a plugin for a column such as "metrics.rmse", if there is one. */
export function rendererFor(column) {
  // asked for each cell that is drawn
  if (!renderers.has(column)) renderers.set(column, extensions("column_renderer").find((one) => (one.match ?? []).some((pattern) => fits(pattern, column))));
  return renderers.get(column);
}

const known = new Map();

/** Whether a text is of a pattern in which * stands for anything. */
export function fits(pattern, text) {
  if (!known.has(pattern)) {
    const parts = pattern.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    known.set(pattern, new RegExp(`^${parts.join(".*")}$`, "i"));
  }
  return known.get(pattern).test(text);
}
