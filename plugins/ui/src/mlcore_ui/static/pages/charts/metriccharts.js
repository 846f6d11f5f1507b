// A chart for each metric, of all runs that are shown: only those in sight are asked for and drawn.
import { html, useCallback, useEffect, useMemo, useRef, useSignal, useState } from "../../lib/html.js";
import { count } from "../../lib/format.js";
import { Empty } from "../../components/empty.js";
import { ChartCard } from "./chartcard.js";
import { ChartDialog } from "./chartdialog.js";
import { groups, listed } from "./groups.js";
import { AXES, overMetric, settings, zoomText } from "./settings.js";

const PAGE = 48;
// so many metrics are offered as the axis; the address may name any
const MOST_AXES = 500;

/**
 * The grid of charts. Keys of the query that it owns: x, smooth, log, charts (words of the search), pinned, chart (the one
 * in full size), zoom.
 * @param {{runs: {run_id: string, name: string, color: string, group?: string}[], groups?: {id: string, name: string, color: string}[], keys: string[], query: Record<string, string>,
 *   onQuery: (changes: Record<string, string|null>, more?: {replace?: boolean}) => void,
 *   hovered?: string|null, onHover?: (id: string|null) => void, revision?: any, live?: boolean, looking?: boolean, further?: number}} props
 *   groups: a line for each of them, the mean of the runs that name it. runs, keys: a new list is a new question. hovered: the run that is pointed at, here or elsewhere on the page; without
 *   onHover the charts keep it themselves. revision: curves are asked for again when it changes. live: runs still write.
 *   looking: the server is asked for metrics that fit the search. further: how many names are not among the keys
 */
export function MetricCharts({ runs, groups: bundles, keys, query, onQuery, hovered, onHover, revision, live, looking = false, further = 0 }) {
  const [own, setOwn] = useState(null);
  const cursor = useSignal(null);
  const said = settings(query);
  const [smooth, setSmooth] = useState(said.smooth);
  useEffect(() => setSmooth(said.smooth), [said.smooth]);
  const ids = useMemo(() => runs.map((run) => run.run_id), [runs.map((run) => run.run_id).join()]);
  const drawn = useMemo(() => runs, [runs.map((run) => `${run.run_id} ${run.name} ${run.color} ${run.group ?? ""}`).join("|")]);
  const bundled = useMemo(() => bundles, [JSON.stringify(bundles)]);
  // a run of the table that is pointed at is seen by its group
  const over = onHover ? hovered ?? null : own;
  const seen = bundled ? drawn.find((run) => run.run_id === over)?.group ?? over : over;
  const shown = useMemo(() => groups(keys, { search: said.search, pinned: said.pinned }), [keys.join("\n"), said.search, query.pinned]);
  const pin = useCallback((key) => {
    const left = said.pinned.filter((one) => one !== key);
    onQuery({ pinned: listed(left.length < said.pinned.length ? left : [...said.pinned, key]) || null });
  }, [query.pinned, onQuery]);
  const shared = {
    runs: drawn, groups: bundled, ids, cursor, revision, smooth, said, onPin: pin, hovered: seen, onHover: onHover ?? setOwn,
    onOpen: (key) => onQuery({ chart: key }),
    onZoomed: (key, range) => { if (range || said.zoom?.metric === key) onQuery({ zoom: zoomText(key, range) }); },
  };
  if (!keys.length) return html`<${Empty} title="No metrics yet" note="Charts appear here as soon as a run records a metric." />`;
  return html`<section class="charts" aria-label="Charts">
    <${Tools} said=${said} smooth=${smooth} onSmooth=${setSmooth} onQuery=${onQuery} live=${live} keys=${keys} told=${told(runs, bundles)} />
    ${!runs.length && html`<p class="muted">No run is selected.</p>`}
    ${runs.length > 0 && !shown.length && html`<p class="muted" role="status">${looking ? "Searching…" : `No metric has “${said.search}” in its name.`}</p>`}
    ${further > 0 && !said.search && html`<p class="muted">There are more metrics than these ${count(keys.length)}; search for the others.</p>`}
    ${runs.length > 0 && shown.map((group) => html`<${Group} key=${group.id} group=${group} shared=${shared} closed=${group.title === "system" && shown.length > 1} />`)}
    ${said.chart && keys.includes(said.chart) && html`<${ChartDialog} key=${said.chart} metric=${said.chart} ...${shared} onClose=${() => onQuery({ chart: null })} />`}
  </section>`;
}

/** Of what the charts are. */
function told(runs, groups) {
  const many = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;
  return groups ? `${many(groups.length, "group")} of ${many(runs.length, "run")}` : many(runs.length, "run");
}

function Tools({ said, smooth, onSmooth, onQuery, live, keys, told }) {
  const over = overMetric(said.x);
  const others = useMemo(() => [...new Set([...(over ? [over] : []), ...keys])].slice(0, MOST_AXES).sort(), [over, keys.join("\n")]);
  const log = (name, on) => {
    const parts = { x: said.xLog, y: said.yLog, [name]: on };
    onQuery({ log: `${parts.x ? "x" : ""}${parts.y ? "y" : ""}` || null });
  };
  return html`<div class="bar chart-tools">
    <input type="search" aria-label="Search charts" placeholder="Search charts" value=${said.search}
      onInput=${(event) => onQuery({ charts: event.currentTarget.value || null }, { replace: true })} />
    <label class="check">X axis <select value=${said.x} onChange=${(event) => onQuery({ x: event.currentTarget.value === "step" ? null : event.currentTarget.value })}>
      ${Object.entries(AXES).map(([name, text]) => html`<option value=${name} selected=${said.x === name}>${text}</option>`)}
      <optgroup label="Metric">${others.map((name) => html`<option key=${name} value=${`metrics.${name}`} selected=${over === name}>${name}</option>`)}</optgroup></select></label>
    <label class="check">Smoothing <input type="range" min="0" max="0.99" step="0.01" value=${smooth}
      onInput=${(event) => onSmooth(Number(event.currentTarget.value))}
      onChange=${(event) => onQuery({ smooth: Number(event.currentTarget.value) ? String(Number(event.currentTarget.value)) : null }, { replace: true })} />
      <output>${smooth.toFixed(2)}</output></label>
    <label class="check"><input type="checkbox" checked=${said.xLog} disabled=${said.x === "time"} onChange=${(event) => log("x", event.currentTarget.checked)} /> log x</label>
    <label class="check"><input type="checkbox" checked=${said.yLog} onChange=${(event) => log("y", event.currentTarget.checked)} /> log y</label>
    <span class="muted">${told}</span>
    ${live && html`<span class="chip live">live</span>`}
  </div>`;
}

function Group({ group, shared, closed }) {
  const [open, setOpen] = useState(!closed);
  const [most, setMost] = useState(PAGE);
  const near = useNear();
  const id = `charts-${group.id.replace(/\W/g, "-")}`;
  return html`<section class="chart-group">
    <h3><button class="plain" aria-expanded=${open} aria-controls=${id} onClick=${() => setOpen(!open)}><span aria-hidden="true">${open ? "▾" : "▸"}</span> ${group.title} <span class="count">${group.keys.length}</span></button></h3>
    <div id=${id} class="chart-grid" hidden=${!open}>
      ${open && group.keys.slice(0, most).map((key) => html`<${ChartCard} key=${key} metric=${key} near=${near} ...${shared} pinned=${shared.said.pinned.includes(key)} />`)}
    </div>
    ${open && group.keys.length > most && html`<p><button onClick=${() => setMost(most + PAGE)}>Show ${Math.min(PAGE, group.keys.length - most)} more of ${group.keys.length - most}</button></p>`}
  </section>`;
}

/** One observer for all cards of a group: they hear when they come near to what is seen, and when they leave. */
function useNear() {
  const kept = useRef(null);
  if (!kept.current) {
    const heard = new Map();
    const observer = new IntersectionObserver((seen) => seen.forEach((one) => heard.get(one.target)?.(one.isIntersecting)), { rootMargin: "250px 0px" });
    kept.current = {
      watch: (element, hear) => { heard.set(element, hear); observer.observe(element); return () => { heard.delete(element); observer.unobserve(element); }; },
      end: () => observer.disconnect(),
    };
  }
  useEffect(() => () => kept.current?.end(), []);
  return kept.current;
}
