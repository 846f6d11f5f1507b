// What plugins show: found by kind, and by what it is for.
import { start } from "./start.js";

/** @typedef {{id: string, kind: string, title: string, order: number, match?: string[], max_bytes?: number|null, series?: boolean, module?: string, isolate?: boolean, blocks?: boolean}} Extension */

/** @param {string} kind such as "run_panel" @returns {Extension[]} in order */
export function extensions(kind) {
  return (start.extensions ?? []).filter((one) => one.kind === kind);
}

/** @param {string} id */
export function extension(id) {
  return (start.extensions ?? []).find((one) => one.id === id);
}

/** The renderer of a plugin for a column such as "metrics.rmse", if there is one. */
export function rendererFor(column) {
  return extensions("column_renderer").find((one) => (one.match ?? []).some((pattern) => fits(pattern, column)));
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
