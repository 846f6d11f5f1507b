// Who is looking, and what the server can do; asked once.
import { signal } from "./html.js";
import { SESSION, api } from "./api.js";
import { start } from "./start.js";

/** The server's manifest, or null while it is not known. */
export const manifest = signal(null);
/** What went wrong when the manifest was asked for. */
export const sessionError = signal(null);

export async function openSession() {
  try {
    manifest.value = await api.get("api/ui/1/manifest");
    sessionError.value = null;
  } catch (error) {
    sessionError.value = error;
  }
}

/** End the session; the page is loaded anew, and asks who is there. */
export async function signOut() {
  const { ended } = await api.del(SESSION);
  if (!ended) throw new Error("your browser keeps this login itself: close the browser to sign out");
  const left = start.base + "/";
  if (location.pathname === left && !location.search) location.reload();
  else location.assign(left);
}

const rights = new Map();

/**
 * What the caller may do with an experiment or a model: a set of "read", "edit", "manage".
 * @param {"experiments"|"models"} kind @param {string} id @returns {Promise<Set<string>>}
 */
export async function may(kind, id) {
  const key = `${kind}:${id}`;
  if (!rights.has(key)) {
    const asked = kind === "experiments" ? { experiment_ids: [id], models: [] } : { experiment_ids: [], models: [id] };
    rights.set(key, api.post("api/ui/1/may", asked).then((answer) => new Set(answer[kind]?.[id] ?? []), (error) => { rights.delete(key); throw error; }));
  }
  return rights.get(key);
}

const TABLE = "mlcore.table";
let table = null;

/** Keep what the table of runs shows: pages of its runs go through them in its order. @param {any} question of `runs:table` */
export function keepTable(question) {
  table = { ...question, columns: [], group_by: [] };
  try { sessionStorage.setItem(TABLE, JSON.stringify(table)); } catch { /* it is known until the page is loaded again */ }
}

/** The question of the table that was looked at last in this tab; null without one. */
export function keptTable() {
  try { return table ?? JSON.parse(sessionStorage.getItem(TABLE) ?? "null"); } catch { return null; }
}
