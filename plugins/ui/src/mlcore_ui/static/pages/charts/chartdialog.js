// One chart in full size, with its values as a table and as files.
import { html, useRef, useState } from "../../lib/html.js";
import { count, number } from "../../lib/format.js";
import { csv, fileName, save } from "../../lib/download.js";
import { extent, rows } from "../../lib/series.js";
import { ink } from "../../lib/theme.js";
import { Dialog } from "../../components/dialog.js";
import { LineChart } from "../../components/linechart.js";
import { place } from "../../components/chartaxes.js";
import { Bars, isSingle } from "./bars.js";
import { describe, note, useSpan, useZoom } from "./chartcard.js";
import { useBand, useCurves, useLines } from "./curves.js";
import { Legend, Mark } from "./legend.js";
import { overMetric } from "./settings.js";

const BUCKETS = 720;
const HEIGHT = 420;
const ROWS = 25;
const COLUMNS = 12;

/** @param {any} props of MetricCharts, with the metric of this chart */
export function ChartDialog({ metric, runs, groups, ids, cursor, revision, smooth, said, hovered, onHover, onZoomed, onClose }) {
  const [range, setRange] = useZoom(metric, said, onZoomed);
  const [table, setTable] = useState(false);
  const handle = useRef(null);
  const { curves, error, loading, again } = useCurves({ metric, ids, x: said.x, range, buckets: BUCKETS, active: true, revision });
  const span = useSpan(curves, range);
  const band = useBand({ metric, id: groups ? null : hovered, x: said.x, range, buckets: BUCKETS, curves });
  const lines = useLines(curves, runs, { weight: smooth, span, band, groups });
  const name = (id) => runs.find((run) => run.run_id === id)?.name ?? id;
  return html`<${Dialog} title=${metric} wide onClose=${onClose}>
    <div class="bar"><button aria-pressed=${table} onClick=${() => setTable(!table)}>Table</button>
      <button disabled=${!curves || table || isSingle(curves)} onClick=${() => download(handle.current.canvas(), metric, lines)}>Download PNG</button>
      <button disabled=${!curves} onClick=${() => save(new Blob([csv(rows(curves, name))], { type: "text/csv" }), `${fileName(metric)}.csv`)}>Download CSV</button>
      ${range && html`<button title="In the chart, Escape shows all of x; once more closes" onClick=${() => setRange(null)}>Show all <kbd>Esc</kbd></button>`}
      <span class="grow"></span><span class="muted" role="status">${loading ? "Loading…" : curves ? told(curves, groups) : ""}</span></div>
    ${error && html`<p class="wrong" role="alert">${error.message} <button onClick=${again}>Try again</button></p>`}
    ${curves && !table && isSingle(curves) && html`<${Bars} metric=${metric} lines=${lines} height=${HEIGHT} hovered=${hovered} onHover=${onHover} />`}
    ${curves && !table && !isSingle(curves) && html`<${LineChart} grid=${curves.grid} series=${lines} x=${said.x} xLog=${said.xLog} yLog=${said.yLog} height=${HEIGHT}
      range=${range} onZoom=${(start, end) => setRange(start === null ? null : [start, end])} hovered=${hovered} onHover=${onHover} cursor=${cursor}
      handle=${handle} label=${describe(metric, lines, said, groups)} />
      <${Legend} grid=${curves.grid} lines=${lines} x=${said.x} cursor=${cursor} hovered=${hovered} onHover=${onHover} most=${24} what=${groups ? "groups" : "runs"} note=${note(curves, lines, said)} />`}
    ${curves && table && html`<${Values} curves=${curves} lines=${lines} x=${said.x} metric=${metric} what=${groups ? "Group" : "Run"} />`}
  <//>`;
}

/** A value as text, with what is not finite there. */
function cell({ values, odd }, at) {
  return [values[at], odd?.get(at)].map((one) => number(one)).filter(Boolean).join(", ");
}

function told(curves, groups) {
  if (groups) return `${count(curves.n)} ${curves.exact ? "points" : "buckets"}: the mean of each group, the band from its min to its max`;
  return curves.exact ? `${count(curves.n)} points, as recorded` : `${count(curves.n)} buckets: the last value of each, the band from min to max`;
}

/** The chart as tables: each run in short, and values along the axis. */
function Values({ curves, lines, x, metric, what }) {
  const [most, setMost] = useState(ROWS);
  const every = Math.max(1, Math.ceil(curves.n / most));
  const few = lines.slice(0, COLUMNS);
  // where values cease to be finite is always told
  const odd = new Set(few.flatMap((line) => [...line.odd?.keys() ?? []].filter((at) => !line.odd.has(at - 1))));
  const places = Array.from({ length: curves.n }, (_, at) => at).filter((at) => at % every === 0 || at === curves.n - 1 || odd.has(at));
  return html`<div class="scroll chart-values" tabindex="0" role="region" aria-label=${`Values of ${metric}`}>
    <table class="plain"><caption>${what}s</caption><thead><tr><th>${what}</th><th class="right">Points</th><th class="right">Last</th><th class="right">Min shown</th><th class="right">Max shown</th></tr></thead>
      <tbody>${lines.map((line) => {
        const limits = extent(line.values);
        return html`<tr key=${line.id}><th scope="row"><${Mark} color=${line.color} /> ${line.label}</th><td class="right">${count(line.count ?? 0)}</td><td class="right">${number(line.last)}</td>
          <td class="right">${number(limits?.[0])}</td><td class="right">${number(limits?.[1])}</td></tr>`;
      })}</tbody></table>
    <table class="plain"><caption>Values${lines.length > COLUMNS ? ` of the first ${COLUMNS} ${what.toLowerCase()}s` : ""}${every > 1 ? `, one of ${count(every)} places` : ""}</caption>
      <thead><tr><th class="right">${{ step: "Step", time: "Time", relative: "Since the start" }[x] ?? overMetric(x)}</th>${few.map((line) => html`<th key=${line.id} class="right">${line.label}</th>`)}</tr></thead>
      <tbody>${places.map((at) => html`<tr key=${at}><th scope="row" class="right">${place(curves.grid[at], x)}</th>${few.map((line) => html`<td key=${line.id} class="right">${cell(line, at)}</td>`)}</tr>`)}</tbody></table>
    ${every > 1 && html`<p><button onClick=${() => setMost(most * 4)}>Show more places</button></p>`}</div>`;
}

/** Save what is drawn, with the name and the first runs written to it. */
function download(drawn, metric, lines) {
  const ratio = devicePixelRatio;
  const canvas = document.createElement("canvas");
  const named = lines.slice(0, 12);
  const top = 34 * ratio;
  canvas.width = drawn.width;
  canvas.height = drawn.height + top + 20 * ratio * Math.ceil(named.length / 4) + 8 * ratio;
  const pen = canvas.getContext("2d");
  pen.fillStyle = ink("--paper");
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(drawn, 0, top);
  pen.fillStyle = ink("--ink");
  pen.font = `600 ${15 * ratio}px system-ui, sans-serif`;
  pen.fillText(metric, 12 * ratio, 22 * ratio);
  pen.font = `${12 * ratio}px system-ui, sans-serif`;
  named.forEach((line, at) => {
    const left = 12 * ratio + ((at % 4) * canvas.width) / 4;
    const bottom = drawn.height + top + 20 * ratio * (1 + Math.floor(at / 4)) - 4 * ratio;
    pen.fillStyle = line.color;
    pen.fillRect(left, bottom - 9 * ratio, 10 * ratio, 10 * ratio);
    pen.fillStyle = ink("--ink");
    pen.fillText(at === 11 && lines.length > 12 ? `and ${lines.length - 11} more` : line.label.slice(0, 28), left + 15 * ratio, bottom);
  });
  canvas.toBlob((blob) => { if (blob) save(blob, `${fileName(metric)}.png`); });
}
