// The registry as the server speaks it: reads, and the moves with what they expect to find.
import { api } from "../../lib/api.js";
import { manifest, may } from "../../lib/session.js";

const MLFLOW = "ajax-api/2.0/mlflow";

const EVERYTHING = ["read", "edit", "manage"];

export const STAGES = ["None", "Staging", "Production", "Archived"];
/** Stages of which a move can archive the versions that are there. */
export const ACTIVE = ["Staging", "Production"];

/** Whether the registry keeps moves: who, when and why, and what somebody asks for. */
export function remembers() {
  const abilities = manifest.value?.registry?.abilities;
  return abilities ? abilities.includes("SupportsMoves") : true;
}

/** A text in the quotes of the search language, which has no escapes: what fits neither kind becomes "any character". @param {string} text */
export function quoted(text) {
  if (!text.includes("'")) return `'${text}'`;
  return text.includes('"') ? `'${text.replace(/'/g, "_")}'` : `"${text}"`;
}

/** The versions of the models of these names, the newest first. @param {string[]} names @param {import("../../lib/types.js").Paging} [paging] */
export async function versionsOf(names, { token, most = 200, signal } = {}) {
  const tests = names.map((name) => (name.includes("'") && name.includes('"') ? `name LIKE ${quoted(name)}` : `name = ${quoted(name)}`));
  const page = await api.get(`${MLFLOW}/model-versions/search`, {
    filter: tests.join(" OR "), order_by: ["version_number DESC"], max_results: most, page_token: token,
  }, signal);
  return { versions: (page.model_versions ?? []).filter((one) => names.includes(one.name)), token: page.next_page_token };
}

/** The versions of any model that come from a run. @param {string} id @param {AbortSignal} [signal] */
export async function versionsOfRun(id, signal) {
  return (await api.get(`${MLFLOW}/model-versions/search`, { filter: `run_id = ${quoted(id)}`, max_results: 100 }, signal)).model_versions ?? [];
}

/** @param {string} filter in the kernel's language @param {import("../../lib/types.js").Paging} [paging] */
export async function searchModels(filter, { token, signal } = {}) {
  const page = await api.get(`${MLFLOW}/registered-models/search`, { filter, max_results: 50, page_token: token }, signal);
  return { models: page.registered_models ?? [], token: page.next_page_token };
}

export const getModel = async (name, signal) => (await api.get(`${MLFLOW}/registered-models/get`, { name }, signal)).registered_model;
export const getVersion = async (name, version, signal) => (await api.get(`${MLFLOW}/model-versions/get`, { name, version }, signal)).model_version;
export const getRun = async (id, signal) => (await api.get(`${MLFLOW}/runs/get`, { run_id: id }, signal)).run;
export const describe = (name, version, signal) => api.get("api/ui/1/models:describe", { name, version }, signal);

/** A page of moves, the last one first. @param {string} name @param {import("../../lib/types.js").Paging} [paging] */
export async function history(name, { token, most = 1000, signal } = {}) {
  if (!remembers()) return { moves: [], token: "" };
  const page = await api.get(`${MLFLOW}/registered-models/history`, { name, max_results: most, page_token: token }, signal);
  return { moves: page.moves ?? [], token: page.next_page_token };
}

/** The version that an alias pointed to at a time in ms; "" for none. */
export const aliasAt = async (name, alias, at) => (await api.get(`${MLFLOW}/registered-models/alias-at`, { name, alias, at })).version ?? "";

/** What was asked for: open wishes and decided ones, the newest first. */
export async function requests(name, signal) {
  if (!remembers()) return [];
  return (await api.get(`${MLFLOW}/transition-requests/search`, { name, max_results: 200 }, signal)).transition_requests ?? [];
}

/** What the caller may do with each of some models. @param {string[]} names @returns {Promise<Map<string, Set<string>>>} */
export async function rightsOf(names, signal) {
  if (!names.length) return new Map();
  const answer = await api.post("api/ui/1/may", { experiment_ids: [], models: names }, signal).catch(() => ({}));
  return new Map(names.map((name) => [name, new Set(answer.models ? answer.models[name] : EVERYTHING)]));
}

/** What the caller may do with a model. The server refuses what is offered in vain. @returns {Promise<Set<string>>} */
export const rights = (name) => may("models", name).catch(() => new Set(EVERYTHING));

/** Point an alias to a version, "" removes it; *expected* is where it is believed to point, "" for nowhere. */
export function moveAlias({ name, alias, version, expected, comment = "" }) {
  if (remembers()) return api.post(`${MLFLOW}/registered-models/move-alias`, { name, alias, version, expected, comment });
  if (version) return api.post(`${MLFLOW}/registered-models/alias`, { name, alias, version });
  return api.del(`${MLFLOW}/registered-models/alias`, { name, alias });
}

/** Move a version to a stage; *expected* is where it is believed to be. */
export function moveStage({ name, version, stage, expected, archive = false, comment = "" }) {
  const asked = { name, version, stage, archive_existing_versions: archive };
  if (remembers()) return api.post(`${MLFLOW}/model-versions/move`, { ...asked, expected, comment });
  return api.post(`${MLFLOW}/model-versions/transition-stage`, asked);
}

export function removeVersion({ name, version, force, comment = "" }) {
  if (remembers()) return api.post(`${MLFLOW}/model-versions/remove`, { name, version, force, comment });
  return api.del(`${MLFLOW}/model-versions/delete`, { name, version });
}

export const createModel = (name, description) => api.post(`${MLFLOW}/registered-models/create`, { name, description });
export const renameModel = (name, other) => api.post(`${MLFLOW}/registered-models/rename`, { name, new_name: other });
export const removeModel = (name) => api.del(`${MLFLOW}/registered-models/delete`, { name });
export const createVersion = (asked) => api.post(`${MLFLOW}/model-versions/create`, asked);

/** Describe a model, or one of its versions. */
export function describeIn(name, version, description) {
  if (version) return api.patch(`${MLFLOW}/model-versions/update`, { name, version, description });
  return api.patch(`${MLFLOW}/registered-models/update`, { name, description });
}

export function setTag(name, version, key, value) {
  const path = version ? "model-versions/set-tag" : "registered-models/set-tag";
  return api.post(`${MLFLOW}/${path}`, { name, version, key, value });
}

export function deleteTag(name, version, key) {
  const path = version ? "model-versions/delete-tag" : "registered-models/delete-tag";
  return api.del(`${MLFLOW}/${path}`, { name, version, key });
}

export function askMove({ name, version, stage, archive, comment }) {
  // an id of our own: a repeated request makes one wish only
  return api.post(`${MLFLOW}/transition-requests/create`, { name, version, stage, archive_existing: archive, comment, request_id: freshId() });
}

export const decide = (id, status, comment) => api.post(`${MLFLOW}/transition-requests/decide`, { request_id: id, status, comment });
export const withdraw = (id, comment) => api.post(`${MLFLOW}/transition-requests/cancel`, { request_id: id, comment });

function freshId() {
  // crypto.randomUUID is not there on plain HTTP
  return [...crypto.getRandomValues(new Uint8Array(16))].map((one) => one.toString(16).padStart(2, "0")).join("");
}

/** Tags as an object, those for machines left out. @param {{key: string, value: string}[]} [tags] */
export function ownTags(tags) {
  return Object.fromEntries((tags ?? []).filter(({ key }) => !key.startsWith("mlflow.") && !key.startsWith("mlcore.")).map(({ key, value }) => [key, value ?? ""]));
}
