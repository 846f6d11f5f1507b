// What the address says of charts.
import { names } from "./groups.js";

/**
 * @typedef {{x: "step"|"time"|"relative", smooth: number, xLog: boolean, yLog: boolean, search: string, pinned: string[], chart: string}} Settings
 */

/** @param {Record<string, string>} query @returns {Settings} */
export function settings(query) {
  const smooth = Number(query.smooth);
  return {
    x: query.x === "time" || query.x === "relative" ? query.x : "step",
    smooth: smooth > 0 && smooth < 1 ? smooth : 0,
    xLog: Boolean(query.log?.includes("x")) && query.x !== "time",
    yLog: Boolean(query.log?.includes("y")),
    search: query.charts ?? "",
    pinned: names(query.pinned),
    chart: query.chart ?? "",
  };
}

export const AXES = { step: "Step", relative: "Relative time", time: "Clock time" };
