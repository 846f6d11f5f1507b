// One chart of the grid.
import { html, useEffect, useMemo, useRef, useState } from "../../lib/html.js";
import { count } from "../../lib/format.js";
import { extent } from "../../lib/series.js";
import { before, place } from "../../components/chartaxes.js";
import { LineChart } from "../../components/linechart.js";
import { Bars, isSingle } from "./bars.js";
import { useBand, useCurves, useLines } from "./curves.js";
import { Legend } from "./legend.js";
import { overMetric } from "./settings.js";

const BUCKETS = 360;
const HEIGHT = 200;
const FEW = 5;
const MOST_GROUPS = 10;

/** @param {any} props of MetricCharts, with the metric of this chart */
export function ChartCard({ metric, near, runs, groups, ids, cursor, revision, smooth, said, pinned, hovered, onHover, onPin, onOpen, onZoomed }) {
  const element = useRef(null);
  const [seen, setSeen] = useState(false);
  const [mine, setMine] = useState(false);
  const [range, setRange] = useZoom(metric, said, onZoomed);
  useEffect(() => near.watch(element.current, setSeen), []);
  // one that has nothing to draw takes no place, and looks again when the runs change
  const [empty, setEmpty] = useState(false);
  const { curves, error, loading, again } = useCurves({ metric, ids, x: said.x, range, buckets: BUCKETS, active: seen || empty, revision });
  const over = overMetric(said.x);
  const nothing = !over && Boolean(curves) && !curves.curves.length && !range;
  useEffect(() => setEmpty(nothing), [nothing]);
  const span = useSpan(curves, range);
  const band = useBand({ metric, id: mine && !groups ? hovered : null, x: said.x, range, buckets: BUCKETS, curves });
  const lines = useLines(curves, runs, { weight: smooth, span, band, groups });
  return html`<article class="chart-card" ref=${element} hidden=${nothing} aria-label=${metric} aria-busy=${seen && loading}
    onMouseEnter=${() => setMine(true)} onMouseLeave=${() => setMine(false)} onFocusIn=${() => setMine(true)} onFocusOut=${() => setMine(false)}>
    <header><h4 title=${metric}>${metric}</h4>
      ${range && html`<button class="plain" onClick=${() => setRange(null)} aria-label=${`Show all of ${metric}`} title="Show all (double click, Escape)">⟲</button>`}
      <button class="plain" aria-pressed=${pinned} aria-label=${`Pin ${metric}`} title=${pinned ? "Unpin" : "Pin"} onClick=${() => onPin(metric)}>${pinned ? "★" : "☆"}</button>
      <button class="plain" aria-label=${`Open ${metric}`} title="Full size, table, download" onClick=${() => onOpen(metric)}>⤢</button></header>
    ${error && html`<p class="wrong" role="alert">${error.message} <button onClick=${again}>Try again</button></p>`}
    ${curves && isSingle(curves) && lines.length > 0 ? html`<${Bars} metric=${metric} lines=${lines} height=${HEIGHT} hovered=${hovered} onHover=${onHover} /><div class="legend"></div>`
    : curves && seen ? html`<${LineChart} grid=${curves.grid} series=${lines} x=${said.x} xLog=${said.xLog} yLog=${said.yLog} height=${HEIGHT}
        range=${range} onZoom=${(start, end) => setRange(start === null ? null : [start, end])} hovered=${hovered} onHover=${onHover}
        onOpen=${() => onOpen(metric)} cursor=${cursor} label=${describe(metric, lines, said, groups)} />
      <${Legend} grid=${curves.grid} lines=${lines} x=${said.x} cursor=${cursor} hovered=${hovered} onHover=${onHover} most=${groups ? MOST_GROUPS : FEW} what=${groups ? "groups" : "runs"} note=${note(curves, lines, said)} />`
    : html`<div class="chart-wait" style=${{ height: `${HEIGHT}px` }}></div><div class="legend"></div>`}
  </article>`;
}

/** The part of x that is shown, which the address holds for the chart that was zoomed last. */
export function useZoom(metric, said, onZoomed) {
  const [range, put] = useState(said.zoom?.metric === metric ? said.zoom.range : null);
  const axis = useRef(said.x);
  const zoom = (next) => { put(next); onZoomed?.(metric, next); };
  useEffect(() => { if (axis.current !== said.x) { axis.current = said.x; zoom(null); } }, [said.x]);
  return [range, zoom];
}

/** The width of the whole chart, which a zoom does not change: smoothing stays the same. */
export function useSpan(curves, range) {
  const kept = useRef(undefined);
  return useMemo(() => {
    if (curves?.grid.length && !range) kept.current = curves.grid[curves.grid.length - 1] - curves.grid[0];
    return kept.current;
  }, [curves]);
}

/** A chart in words, for who does not see it. */
export function describe(metric, lines, { x }, groups) {
  const over = { step: "by step", time: "by clock time", relative: "by time since the start" }[x] ?? `by ${overMetric(x)}`;
  return `${metric} ${over}, ${lines.length === 1 ? lines[0].label : `${lines.length} ${groups ? "groups" : "runs"}`}. Arrow keys read values, Enter opens it with a table.`;
}

const SIGNS = { NaN: "×", Inf: "▲", "-Inf": "▼" };

/** What the chart leaves out, and what its marks mean. */
export function note(curves, lines, said) {
  const over = overMetric(said.x);
  if (!curves.curves.length) return over ? `no run has recorded it and ${over}` : "nothing recorded in these runs";
  const found = Object.keys(SIGNS).map((kind) => oddly(kind, curves.grid, lines, said.x)).filter(Boolean);
  const empty = lines.filter((line) => !extent(line.values)).length;
  if (empty && lines.length > 1) found.push(`${count(empty)} without finite values`);
  if (empty && lines.length === 1) found.push("no finite value");
  const low = said.yLog ? lines.filter((line) => extent(line.values) && !extent(line.values, 0)).length : 0;
  if (low) found.push(`${lines.length === 1 ? "no value" : `${count(low)} without a value`} above 0, which log y needs`);
  return found.join(", ");
}

/** Where lines have points of a kind that is not finite. */
function oddly(kind, grid, lines, x) {
  const having = lines.map((line) => [...line.odd ?? []].find(([, text]) => text.split(", ").includes(kind))?.[0]).filter((at) => at !== undefined);
  if (!having.length) return "";
  const first = `${before(x)}${place(grid[Math.min(...having)], x)}`;
  return lines.length === 1 ? `${SIGNS[kind]} ${kind} from ${first}` : `${SIGNS[kind]} ${kind} in ${count(having.length)} of ${count(lines.length)}, from ${first}`;
}
