// What plugins show: found by kind, and by what it is for.
import { start } from "./start.js";

/** @typedef {{id: string, kind: string, title: string, order: number, match?: string[], max_bytes?: number|null, module?: string, isolate?: boolean, blocks?: boolean}} Extension */

/** @param {string} kind such as "run_panel" @returns {Extension[]} in order */
export function extensions(kind) {
  return (start.extensions ?? []).filter((one) => one.kind === kind);
}

/** @param {string} id */
export function extension(id) {
  return (start.extensions ?? []).find((one) => one.id === id);
}

/**
 * The viewers of plugins for a file, in order.
 * @param {{path: string, mime?: string, size_bytes?: number}} file
 */
export function viewersFor(file) {
  const name = file.path.split("/").at(-1) ?? "";
  return extensions("artifact_viewer").filter((one) =>
    (one.max_bytes == null || (file.size_bytes ?? 0) <= one.max_bytes)
    && (one.match ?? []).some((pattern) => fits(pattern, name) || fits(pattern, file.mime ?? "")));
}

/** The renderer of a plugin for a column such as "metrics.rmse", if there is one. */
export function rendererFor(column) {
  return extensions("column_renderer").find((one) => (one.match ?? []).some((pattern) => fits(pattern, column)));
}

/** Whether a text is of a pattern in which * stands for anything. */
export function fits(pattern, text) {
  const parts = pattern.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "i").test(text);
}
