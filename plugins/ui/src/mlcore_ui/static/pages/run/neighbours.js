// The runs before and after one: in the order and filter of the table that one came from, else as they were started.
import { api } from "../../lib/api.js";
import { keptTable } from "../../lib/session.js";
import { searchRuns } from "./data.js";

const AT_ONE_TIME = 200;
const AROUND = 50;
const PAGE = 1000;
const PAGES = 20;

/** Where in which table a run was found: its neighbours are near. */
let place = { table: "", at: -1 };

/**
 * @param {"newer"|"older"} way to the run before, or after @param {import("./data.js").Run} run
 * @returns {Promise<{next: string|null, of: "table"|"experiment"}>} next: the id of the run; null at the end
 */
export async function neighbour(way, run) {
  const { experiment_id, run_id } = run.info;
  const table = keptTable();
  if (table?.experiment_ids?.includes(experiment_id)) {
    const next = await inTable(table, way, run_id).catch((error) => { if (error.status === 400) return undefined; throw error; });
    if (next !== undefined) return { next, of: "table" };
  }
  return { next: await byStart(way, run), of: "experiment" };
}

/** The neighbour in a table; null at its end, undefined when the run is not in it. */
async function inTable(table, way, runId) {
  const key = JSON.stringify(table);
  const back = way === "newer" ? -1 : 1;
  const page = async (offset, limit) => {
    const { rows, total } = await api.post("api/ui/1/runs:table", { ...table, offset, limit });
    return { ids: rows.run_id, total };
  };
  const beside = ({ ids, total }, offset) => {
    const at = ids.indexOf(runId);
    if (at < 0) return undefined;
    const next = offset + at + back;
    if (next >= 0 && next < total && ids[at + back] === undefined) return undefined;
    place = { table: key, at: next };
    return ids[at + back] ?? null;
  };
  if (place.table === key) {
    const offset = Math.max(0, place.at - AROUND);
    const found = beside(await page(offset, 2 * AROUND), offset);
    if (found !== undefined) return found;
  }
  const ids = [];
  for (let turn = 0; turn < PAGES; turn += 1) {
    const { ids: more, total } = await page(ids.length, PAGE);
    ids.push(...more);
    const found = beside({ ids, total }, 0);
    if (found !== undefined || !more.length || ids.length >= total) return found;
  }
  return undefined;
}

/** The neighbour among the runs of the experiment as they were started. */
async function byStart(way, run) {
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
