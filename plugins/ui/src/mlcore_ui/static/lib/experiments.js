// Experiments by id. What a page beside them needs is mostly their name, which the page before has asked for already.
import { api } from "./api.js";

const seen = new Map();

/** Ask for an experiment. @param {string} id @param {AbortSignal} [signal] @returns {Promise<import("./types.js").Experiment>} */
export async function readExperiment(id, signal) {
  const { experiment } = await api.get("ajax-api/2.0/mlflow/experiments/get", { experiment_id: id }, signal);
  seen.set(id, experiment);
  return experiment;
}

/** An experiment as it was last seen, asked for when it never was. @param {string} id @param {AbortSignal} [signal] */
export async function seenExperiment(id, signal) {
  return seen.get(id) ?? readExperiment(id, signal);
}
