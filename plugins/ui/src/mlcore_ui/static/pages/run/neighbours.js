// The runs before and after one, in the order in which they were started.
import { searchRuns } from "./data.js";

const AT_ONE_TIME = 200;

/** @param {"newer"|"older"} way @param {import("./data.js").Run} run @returns {Promise<string|null>} the id of the run */
export async function neighbour(way, run) {
  const { experiment_id, start_time, run_id } = run.info;
  const [sign, order] = way === "newer" ? [">=", "ASC"] : ["<=", "DESC"];
  // runs of one moment come with it: the one after this run is wanted, in an order that is the same from both sides
  const found = await searchRuns({
    experiment_ids: [experiment_id], filter: `attributes.start_time ${sign} ${start_time}`, order_by: [`attributes.start_time ${order}`],
    max_results: AT_ONE_TIME, run_view_type: run.deleted ? "ALL" : "ACTIVE_ONLY",
  });
  const back = way === "newer" ? -1 : 1;
  const sorted = found.map((one) => one.info).sort((a, b) => back * (b.start_time - a.start_time || (a.run_id < b.run_id ? -1 : 1)));
  const at = sorted.findIndex((one) => one.run_id === run_id);
  return sorted[at + 1]?.run_id ?? null;
}
