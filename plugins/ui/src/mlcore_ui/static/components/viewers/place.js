// Where files are: of a run, of a logged model, of a version of a registered model. Files are read through tickets.
import { api, address, ApiError } from "../../lib/api.js";

/** @typedef {{run_id?: string, model_id?: string, name?: string, version?: string}} Place */
/** @typedef {{path: string, name: string, is_dir: boolean, size_bytes: number|null, mime: string|null, beside?: ShownFile[], inside?: ShownFile[], is_table?: boolean}} ShownFile */

const EARLY_MS = 60000;
const tickets = new Map();

/** A text that is the same for the same place. @param {Place} place */
export function placeKey({ run_id, model_id, name, version }) {
  return run_id ? `run ${run_id}` : model_id ? `model ${model_id}` : `version ${name} ${version}`;
}

/** The last part of a path. @param {string} path */
export function nameOf(path) {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** The folder in which a path is; "" is the root. @param {string} path */
export function folderOf(path) {
  return path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "";
}

/** A page of a folder. @param {Place} place @param {string} path @param {{token?: string, signal?: AbortSignal}} [more] */
export async function listed(place, path, { token, signal } = {}) {
  const page = await api.get("api/ui/1/artifacts:list", { ...place, path, page_token: token }, signal);
  return { ...page, files: page.files.map((file) => ({ ...file, name: nameOf(file.path) })) };
}

/**
 * The address of a file as a browser shows it, good for most of an hour.
 * @param {Place} place @param {string} path @param {{within?: string, fresh?: boolean}} [more]
 * within: the folder that the ticket opens, for pages that load what lies beside them; the whole place without.
 * fresh: do not use the ticket that is there.
 */
export async function rawAddress(place, path, { within = "", fresh = false } = {}) {
  const key = `${placeKey(place)}\n${within}`;
  const kept = tickets.get(key);
  if (!kept || fresh || (kept.expires && kept.expires < Date.now() + EARLY_MS)) {
    const entry = { expires: 0, answer: api.post("api/ui/1/artifacts:ticket", { ...place, path: within }) };
    tickets.set(key, entry);
    entry.answer.then((answer) => { entry.expires = answer.expires_ms; }, () => { if (tickets.get(key) === entry) tickets.delete(key); });
  }
  const { url } = await tickets.get(key).answer;
  const below = within ? path.slice(within.length + 1) : path;
  return url + below.split("/").map(encodeURIComponent).join("/");
}

/** The same with the server's prefix, for elements. */
export async function rawUrl(place, path, more) {
  return address(await rawAddress(place, path, more));
}

/**
 * A stretch of a file, never more than asked for.
 * @param {Place} place @param {string} path @param {number} first @param {number} most bytes @param {AbortSignal} [signal]
 * @returns {Promise<{body: ArrayBuffer, total: number|null}>} total: of the file, where the server knows it
 */
export async function readBytes(place, path, first, most, signal) {
  const read = async (fresh) => api.bytes(await rawAddress(place, path, { fresh }), first, first + most - 1, signal);
  let found;
  try {
    found = await read(false);
  } catch (error) {
    if (error instanceof ApiError && error.status === 416) return { body: new ArrayBuffer(0), total: first };
    // the ticket may have run out, or the server may have got another key
    if (!(error instanceof ApiError) || error.status !== 403) throw error;
    found = await read(true);
  }
  const total = Number(/\/(\d+)$/.exec(found.range ?? "")?.[1] ?? NaN);
  return { body: found.body, total: Number.isNaN(total) ? found.body.byteLength : total };
}

/** The beginning of a file as text. @returns {Promise<{text: string, total: number|null, whole: boolean, binary: boolean}>} */
export async function readText(place, path, most, signal) {
  const { body, total } = await readBytes(place, path, 0, most, signal);
  const text = new TextDecoder().decode(body);
  return { text, total, whole: total !== null && body.byteLength >= total, binary: text.includes("\0") };
}

/** Where a file is sent to be saved. @param {Place} place @param {string} path */
export function downloadUrl({ run_id, model_id, name, version }, path) {
  if (run_id) return address("get-artifact", { run_uuid: run_id, path });
  if (model_id) return address(`ajax-api/2.0/mlflow/logged-models/${encodeURIComponent(model_id)}/artifacts/files`, { artifact_file_path: path });
  return address("model-versions/get-artifact", { name, version, path });
}
