// Which viewer shows which file: those of plugins and our own, which come by the same hook. The first that fits is used;
// the person may choose among the others.
import { extensions, fits } from "../../lib/extensions.js";
import { nameOf } from "./place.js";
import { seriesOf } from "./series.js";

/** @typedef {import("./place.js").ShownFile} ShownFile */
/** @typedef {import("../../lib/extensions.js").Extension} Extension */

const TABLE = "application/vnd.mlcore.table+json";

/** The viewers that can show a file or a folder, the best first. @param {ShownFile} file @returns {Extension[]} */
export function viewersOf(file) {
  const fitting = file.is_dir ? ofFolder(file) : ofFile(file);
  return extensions("artifact_viewer").filter((one) => allowed(one.match ?? [], fitting)
    && (one.max_bytes == null || (file.size_bytes ?? 0) <= one.max_bytes) && (!one.series || Boolean(seriesOf(file))));
}

function ofFile(file) {
  const texts = [nameOf(file.path), file.mime ?? "", file.is_table ? TABLE : ""].filter(Boolean);
  return (pattern) => texts.some((text) => fits(pattern, text));
}

function ofFolder(file) {
  return (pattern) => (pattern.startsWith("/") ? (file.inside ?? []).some((one) => !one.is_dir && fits(pattern.slice(1), one.name))
    : pattern.endsWith("/") && fits(pattern.slice(0, -1), file.name));
}

function allowed(patterns, fitting) {
  return patterns.some((one) => !one.startsWith("!") && fitting(one)) && !patterns.some((one) => one.startsWith("!") && fitting(one.slice(1)));
}
