// What was measured: last, least and greatest, and the shape of the curve.
import { html, useMemo } from "../../lib/html.js";
import { api } from "../../lib/api.js";
import { href } from "../../lib/url.js";
import { count, number, time } from "../../lib/format.js";
import { useLoad } from "../../lib/load.js";
import { useSummaries } from "./data.js";
import { Section } from "./section.js";

const MOST_CURVES = 60;
const BUCKETS = 60;
const WIDE = 110;
const HIGH = 22;

/** @param {{run: import("./data.js").Run}} props */
export function Metrics({ run }) {
  const { run_id } = run.info;
  const version = run.metrics.map((one) => `${one.key}:${one.step}:${one.timestamp}`).join(" ");
  const known = useSummaries(run_id, version);
  // what was recorded once, without a step, has no curve
  const keys = run.metrics.filter((one) => one.step !== 0).map((one) => one.key).slice(0, MOST_CURVES);
  const { data } = useLoad(`curves ${run_id} ${version}`, async (signal) => (keys.length ? { run_id, curves: await readCurves(run_id, keys, signal) } : null));
  const curves = useMemo(() => new Map((data?.run_id === run_id ? data.curves.curves : []).map((one) => [one.key, path(data.curves.grid, one.values.last)])), [data, run_id]);
  return html`<${Section} id="metrics" title="Metrics" what="metrics" rows=${run.metrics} text=${(one) => one.key} empty="None were recorded.">
    ${(shown) => html`<div class="scroll" tabindex="0" role="region" aria-labelledby="metrics"><table class="plain dense metrics"><thead><tr><th>Metric</th><th class="right">Last</th><th class="right">Min</th><th class="right">Max</th><th class="right">Points</th><th>Curve</th></tr></thead>
      <tbody>${shown.map((one) => html`<${Row} key=${one.key} one=${one} told=${known.get(one.key)} curve=${curves.get(one.key)} run=${run_id} />`)}</tbody></table></div>`}
  <//>`;
}

async function readCurves(run_id, keys, signal) {
  const [{ decode }, body] = await Promise.all([import("../../lib/series.js"), api.binary("api/ui/1/metrics:series", { run_ids: [run_id], keys, x: "step", buckets: BUCKETS, stats: ["last"] }, signal)]);
  return decode(body);
}

function Row({ one, told, curve, run }) {
  const tab = one.key.startsWith("system/") ? "system" : "metrics";
  return html`<tr><th scope="row"><a href=${href(`runs/${run}/${tab}`, { charts: one.key })}>${one.key}</a></th>
    <td class="right" title=${`${one.value} at step ${one.step}, ${time(one.timestamp)}`}>${number(one.value)}</td>
    <td class="right" title=${told?.min ?? ""}>${number(told?.min)}</td><td class="right" title=${told?.max ?? ""}>${number(told?.max)}</td>
    <td class="right">${told ? count(told.count) : ""}</td>
    <td>${curve && html`<svg class="spark" viewBox=${`0 0 ${WIDE} ${HIGH}`} width=${WIDE} height=${HIGH} aria-hidden="true"><path d=${curve} /></svg>`}</td></tr>`;
}

/** The line through the values that are there. */
function path(grid, values) {
  const points = [];
  for (let at = 0; at < grid.length; at += 1) if (values[at] !== null) points.push([grid[at], values[at]]);
  if (points.length < 2) return "";
  const least = (index) => points.reduce((low, one) => Math.min(low, one[index]), Infinity);
  const greatest = (index) => points.reduce((high, one) => Math.max(high, one[index]), -Infinity);
  const [left, right, low, high] = [least(0), greatest(0), least(1), greatest(1)];
  const x = (value) => (1 + ((value - left) / (right - left || 1)) * (WIDE - 2)).toFixed(1);
  const y = (value) => (high === low ? HIGH / 2 : 2 + (1 - (value - low) / (high - low)) * (HIGH - 4)).toFixed(1);
  return `M${points.map((one) => `${x(one[0])} ${y(one[1])}`).join("L")}`;
}
