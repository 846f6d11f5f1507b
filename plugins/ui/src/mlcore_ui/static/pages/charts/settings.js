// What the address says of charts.
import { names } from "./groups.js";

/**
 * @typedef {{x: string, smooth: number, xLog: boolean, yLog: boolean, search: string, pinned: string[], chart: string, zoom: {metric: string, range: [number, number]}|null}} Settings
 */

const OVER = "metrics.";

/** The metric that is the x axis; undefined for steps and times. @param {string} x @returns {string|undefined} */
export function overMetric(x) {
  return x.startsWith(OVER) ? x.slice(OVER.length) : undefined;
}

/** @param {Record<string, string>} query @returns {Settings} x: step, time, relative, or metrics.NAME for another metric */
export function settings(query) {
  const smooth = Number(query.smooth);
  return {
    x: query.x === "time" || query.x === "relative" || (query.x && overMetric(query.x)) ? query.x : "step",
    smooth: smooth > 0 && smooth < 1 ? smooth : 0,
    xLog: Boolean(query.log?.includes("x")) && query.x !== "time",
    yLog: Boolean(query.log?.includes("y")),
    search: query.charts ?? "",
    pinned: names(query.pinned),
    chart: query.chart ?? "",
    zoom: zoomed(query.zoom),
  };
}

/** The part of x that a chart shows: START:END:METRIC. @param {string|undefined} text @returns {{metric: string, range: [number, number]}|null} */
function zoomed(text) {
  const [start, end, ...metric] = (text ?? "").split(":");
  const range = [Number(start || NaN), Number(end || NaN)];
  return metric.length && range.every(Number.isFinite) && range[0] < range[1] ? { metric: metric.join(":"), range: /** @type {[number, number]} */ (range) } : null;
}

/** The same as a text; null for all of x. @param {string} metric @param {[number, number]|null} range */
export function zoomText(metric, range) {
  const plain = (value) => (Math.abs(value) > 1e6 ? Math.round(value) : Math.abs(value) < 1 ? Number(value.toPrecision(6)) : Number(value.toFixed(4)));
  return range ? `${plain(range[0])}:${plain(range[1])}:${metric}` : null;
}

export const AXES = { step: "Step", relative: "Relative time", time: "Clock time" };
