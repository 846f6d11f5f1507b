// A run as its page needs it, and what the page writes.
import { signal, useEffect, useMemo } from "../../lib/html.js";
import { address, api } from "../../lib/api.js";
import { seenExperiment } from "../../lib/experiments.js";
import { useLoad } from "../../lib/load.js";
import { may } from "../../lib/session.js";

const MLFLOW = "ajax-api/2.0/mlflow";
const RETRY_MS = 3000;
const GIVE_UP_MS = 15 * 60 * 1000;

/** @typedef {{info: any, params: [string, string][], metrics: any[], tags: Map<string, string>, datasets: any[], models: any[], state: string, open: boolean, deleted: boolean, name: string}} Run */

/** The run, asked for again when `again` is called. @param {string} id */
export function useRun(id) {
  const turned = refused.value;
  const { data, error, loading, again } = useLoad(`run ${id}`, async (signal) => (await api.get(`${MLFLOW}/runs/get`, { run_id: id }, signal)).run);
  // what is refused may be so because the run is another than the page shows
  useEffect(() => { if (turned) again(); }, [turned]);
  useBack(unreachable(error), again);
  const run = useMemo(() => (data?.info.run_id === id ? shaped(data) : undefined), [data, id]);
  return { run, error, loading, again };
}

/** @returns {Run} */
function shaped({ info, data, inputs, outputs }) {
  const tags = new Map((data?.tags ?? []).map((one) => [one.key, one.value]));
  const state = stateOf(info.status, tags);
  return {
    info, tags, state,
    params: (data?.params ?? []).map((one) => [one.key, one.value]).sort(byKey),
    metrics: [...(data?.metrics ?? [])].sort((a, b) => order(a.key, b.key)),
    datasets: inputs?.dataset_inputs ?? [],
    models: outputs?.model_outputs ?? [],
    open: state === "RUNNING" || state === "SCHEDULED",
    deleted: info.lifecycle_stage === "deleted",
    name: info.run_name || tags.get("mlflow.runName") || info.run_id,
  };
}

/** What really became of a run: LOST when its process went silent. */
function stateOf(status, tags) {
  if (tags.get("mlcore.lost")) return "LOST";
  const beat = /^(\d+) ([\d.]+)$/.exec(tags.get("mlcore.heartbeat") ?? "");
  const silent = beat ? Date.now() - Number(beat[1]) : 0;
  // the server marks lost runs itself; this is for stores that cannot be written to
  return status === "RUNNING" && beat && silent > Math.max(GIVE_UP_MS, 5000 * Number(beat[2])) ? "LOST" : status;
}

function byKey([a], [b]) {
  return order(a, b);
}

function order(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The experiment of a run, as far as it is known. @param {string|undefined} experimentId */
export function useExperiment(experimentId) {
  return useLoad(`experiment ${experimentId ?? ""}`, async (signal) => (experimentId ? seenExperiment(experimentId, signal) : null)).data;
}

/** Whether the caller may change the experiment; true while it is not known, as the server decides anyway. */
export function useMayEdit(experimentId) {
  const { data } = useLoad(`may ${experimentId ?? ""}`, async () => (experimentId ? (await may("experiments", experimentId)) : null));
  return data ? data.has("edit") || data.has("manage") : true;
}

/** The last, least and greatest of all metrics of a run. @param {string} id @param {string} version changes when the run has */
export function useSummaries(id, version) {
  const { data } = useLoad(`summary ${id} ${version}`, async (signal) => {
    const answer = await api.post("api/ui/1/metrics:summary", { run_ids: [id], keys: [] }, signal);
    return { id, byKey: new Map(answer.summaries.map((one) => [one.key, one])) };
  });
  return data?.id === id ? data.byKey : new Map();
}

export const write = {
  rename: (id, name) => sent("update", { run_id: id, run_name: name }),
  tag: (id, key, value) => sent("set-tag", { run_id: id, key, value }),
  untag: (id, key) => sent("delete-tag", { run_id: id, key }),
  remove: (id) => sent("delete", { run_id: id }),
  restore: (id) => sent("restore", { run_id: id }),
};

/** Counts the writes that the server refused. */
const refused = signal(0);

async function sent(call, body) {
  try {
    return await api.post(`${MLFLOW}/runs/${call}`, body);
  } catch (error) {
    if (error.status) refused.value += 1;
    throw error;
  }
}

/** Whether an error means that no server answered. */
export function unreachable(error) {
  return error?.status === 0;
}

/** Call `onBack` once the server answers again. @param {boolean} away whether it does not now @param {() => void} onBack */
export function useBack(away, onBack) {
  useEffect(() => {
    if (!away) return undefined;
    const timer = setInterval(() => {
      if (!document.hidden) fetch(address("version")).then((answer) => { if (answer.ok) onBack(); }, () => undefined);
    }, RETRY_MS);
    return () => clearInterval(timer);
  }, [away]);
}

/** Runs of an experiment. @param {object} asked @param {AbortSignal} [signal] @returns {Promise<any[]>} */
export async function searchRuns(asked, signal) {
  return (await api.post(`${MLFLOW}/runs/search`, asked, signal)).runs ?? [];
}

/** A text inside of a filter. @param {string} text */
export function literal(text) {
  return `'${text.replace(/'/g, "''")}'`;
}
