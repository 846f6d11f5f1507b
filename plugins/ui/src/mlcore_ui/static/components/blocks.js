// Blocks that a plugin made in Python.
import { html, useEffect, useRef } from "../lib/html.js";
import { api } from "../lib/api.js";
import { number } from "../lib/format.js";
import { color } from "../lib/colors.js";
import { start } from "../lib/start.js";
import { useLoad } from "../lib/load.js";
import { ErrorCard } from "./errorcard.js";
import { Markdown } from "./markdown.js";

const ABOUT = { run_panel: "runs", compare_panel: "runs", experiment_panel: "experiment", model_panel: "model", page: "page" };

export function BlocksPanel({ extension, context }) {
  const { run_ids, experiment_id, experiment_ids, name, version } = context;
  const asked = { extension: extension.id, run_ids, experiment_id, experiment_ids, name, version };
  const { data, error, again } = useLoad(JSON.stringify(asked), (signal) => api.post(`api/ui/1/blocks:${ABOUT[extension.kind]}`, asked, signal));
  if (error) return html`<${ErrorCard} error=${error} title=${`“${extension.title}” failed`} onAgain=${again} />`;
  if (!data) return html`<p class="muted">Loading…</p>`;
  return html`<div class="blocks">${data.blocks.map((block) => html`<${Block} ...${block} />`)}</div>`;
}

function Block(block) {
  switch (block.block) {
    case "markdown": return html`<${Markdown} text=${block.text} />`;
    case "table": return html`<${TableBlock} ...${block} />`;
    case "line": return html`<${LineBlock} ...${block} />`;
    case "bar": return html`<${BarBlock} ...${block} />`;
    case "image": return html`<img class="block" src=${block.src} alt=${block.alt} />`;
    case "html": return html`<${HtmlBlock} ...${block} />`;
    default: return html`<p class="muted">a block of an unknown kind</p>`;
  }
}

/** A document without an origin: its scripts run, and see nothing of this page. */
function HtmlBlock({ title, document: text, height }) {
  const frame = useRef(null);
  useEffect(() => {
    const onMessage = ({ source, data }) => {
      if (source === frame.current?.contentWindow && data?.mlcore === "ready") source.postMessage({ mlcore: "document", document: text }, "*");
    };
    addEventListener("message", onMessage);
    return () => removeEventListener("message", onMessage);
  }, [text]);
  return html`<iframe key=${text} ref=${frame} class="block" sandbox="allow-scripts" title=${title} src=${`${start.base}/frame`} style=${{ height: `${height}px` }}></iframe>`;
}

function TableBlock({ title, columns, rows }) {
  return html`<div class="scroll block"><table class="plain">${title && html`<caption>${title}</caption>`}
    <thead><tr>${columns.map((name) => html`<th>${name}</th>`)}</tr></thead>
    <tbody>${rows.map((row) => html`<tr>${row.map((cell) => html`<td class=${typeof cell === "number" ? "right" : ""}>${typeof cell === "number" ? number(cell) : cell === null ? "" : String(cell)}</td>`)}</tr>`)}</tbody></table></div>`;
}

const WIDTH = 640, HEIGHT = 240, LEFT = 56, BOTTOM = 26, TOP = 8, RIGHT = 8;

/** Curves over one axis, as SVG. */
export function LineBlock({ title, x, series, x_label: xLabel }) {
  const values = Object.values(series).flat().filter((value) => value !== null && Number.isFinite(value));
  if (!x.length || !values.length) return html`<p class="muted">${title ? `${title}: ` : ""}no points</p>`;
  const [low, high] = spread(values), [first, last] = spread(x);
  const px = (value) => LEFT + ((value - first) / (last - first)) * (WIDTH - LEFT - RIGHT);
  const py = (value) => TOP + ((high - value) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  return html`<figure class="block"><figcaption>${title}</figcaption>
    <svg viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label=${`${title || "Curves"}: ${Object.keys(series).join(", ")}`}>
      ${[low, (low + high) / 2, high].map((value) => html`<line class="gridline" x1=${LEFT} x2=${WIDTH - RIGHT} y1=${py(value)} y2=${py(value)} /><text x=${LEFT - 6} y=${py(value) + 4} text-anchor="end">${number(value, 3)}</text>`)}
      ${[first, last].map((value, at) => html`<text x=${px(value)} y=${HEIGHT - 8} text-anchor=${at ? "end" : "start"}>${number(value, 4)}</text>`)}
      <text x=${(LEFT + WIDTH) / 2} y=${HEIGHT - 8} text-anchor="middle">${xLabel}</text>
      ${Object.values(series).map((curve, at) => html`<path d=${path(x, curve, px, py)} fill="none" stroke=${color(at)} stroke-width="1.6" />`)}
    </svg><${Legend} names=${Object.keys(series)} /></figure>`;
}

function BarBlock({ title, labels, values }) {
  const known = values.filter((value) => value !== null);
  const [low, high] = [Math.min(0, ...known), Math.max(0, ...known)];
  const share = (value) => (100 * value) / (high - low || 1);
  // from where zero is, to the left for what is below it
  const at = (value) => ({ width: `${share(Math.abs(value ?? 0))}%`, marginLeft: `${share(Math.min(0, value ?? 0) - low)}%` });
  return html`<figure class="block"><figcaption>${title}</figcaption><table class="block-bars"><tbody>${labels.map((label, index) => html`<tr><th scope="row">${label}</th>
    <td class="block-bar-room"><span class="block-bar" style=${at(values[index])}></span></td><td class="right">${number(values[index])}</td></tr>`)}</tbody></table></figure>`;
}

function Legend({ names }) {
  return html`<ul class="legend">${names.map((name, at) => html`<li><span class="dot" style=${{ background: color(at) }}></span>${name}</li>`)}</ul>`;
}

function spread(values) {
  let low = Infinity, high = -Infinity;
  for (const value of values) { low = Math.min(low, value); high = Math.max(high, value); }
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}

function path(x, values, px, py) {
  let open = false;
  return x.map((at, index) => {
    const value = values[index];
    if (value === null || value === undefined || !Number.isFinite(value)) { open = false; return ""; }
    const step = `${open ? "L" : "M"}${px(at).toFixed(1)} ${py(value).toFixed(1)}`;
    open = true;
    return step;
  }).join("");
}
